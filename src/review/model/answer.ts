import { toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { SEVERITIES } from '../review.ts'

const described = (description: string) => v.pipe(v.string(), v.description(description))

/** What a model says of one defect. It names code by quoting it: models cannot count lines. */
const ModelFindingSchema = v.strictObject({
  path: described('The file, exactly as the excerpt names it.'),
  quote: described(
    'The defective code: one or a few whole lines, copied verbatim, with their indentation, without line numbers and + marks.',
  ),
  what: described('What is wrong, in one line.'),
  why: described('Why it hurts, in one or two sentences.'),
  trigger: described('The realistic input, state or timing that makes it go wrong.'),
  advice: described('What to do instead, in one or two sentences.'),
  severity: v.picklist(SEVERITIES),
  replacement: v.nullable(
    described(
      'Complete new text for exactly the quoted lines, if that alone is a safe and complete fix; otherwise null.',
    ),
  ),
})

export type ModelFinding = v.InferOutput<typeof ModelFindingSchema>

const AnswerSchema = v.strictObject({ findings: v.array(ModelFindingSchema) })

const { $schema: _, ...jsonSchema } = toJsonSchema(AnswerSchema)

/** The schema of a review's answer, as endpoints with strict structured output want it. */
export const ANSWER_JSON_SCHEMA: Readonly<Record<string, unknown>> = jsonSchema

/** A model that is not held to the schema still gets its capitals and its optional parts forgiven. */
const LenientFinding = v.object({
  ...ModelFindingSchema.entries,
  severity: v.pipe(v.string(), v.trim(), v.toLowerCase(), v.picklist(SEVERITIES)),
  replacement: v.nullish(v.string(), null),
})

const LenientAnswer = v.union([
  v.object({ findings: v.array(v.unknown()) }),
  v.pipe(
    v.array(v.unknown()),
    v.transform((findings) => ({ findings })),
  ),
])

/**
 * The usable findings of an answer, and how many were not.
 *
 * @returns undefined when the answer as a whole is not one
 */
export function readModelAnswer(value: unknown): { findings: ModelFinding[]; malformed: number } | undefined {
  const answer = v.safeParse(LenientAnswer, value)
  if (!answer.success) return undefined
  const parsed = answer.output.findings.map((finding) => v.safeParse(LenientFinding, finding))
  const findings = parsed.flatMap((result) => (result.success ? [result.output] : []))
  return { findings, malformed: parsed.length - findings.length }
}
