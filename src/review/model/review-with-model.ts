import { setImmediate } from 'node:timers/promises'
import type { Change } from '../../forges/change.ts'
import { KodusError } from '../../lib/errors.ts'
import type { Model, ModelAnswer } from '../../models/model.ts'
import { printable } from '../printable.ts'
import type { Finding, ModelUse, Note } from '../review.ts'
import { ANSWER_JSON_SCHEMA, readModelAnswer } from './answer.ts'
import { pathsOf, planBatches, type ReadingBudget } from './batches.ts'
import type { Excerpt } from './excerpt.ts'
import { findingOf, saysTheSame } from './finding.ts'
import { type FileToShow, maskSecrets } from './mask-secrets.ts'
import { reviewPrompt } from './prompt.ts'
import type { Wishes } from './wishes.ts'

export interface ModelReviewRequest {
  model: Model
  change: Change
  /** The files to show, as they stand at head. A file with nothing but deleted lines needs no text. */
  files: readonly { path: string; text: string }[]
  /** What static analysis found. */
  known: readonly Finding[]
  /** What the repository wants the model to look for, and the language to say it in. */
  wishes: Wishes
  signal: AbortSignal
  budget?: ReadingBudget
}

export interface ModelReview {
  findings: Finding[]
  notes: Note[]
  use: ModelUse
  /** Paths of files that the model was not shown, or not whole, or about which it gave no usable answer. */
  unread: string[]
}

/**
 * Asks a model what rules cannot see, in as few requests as the change needs, one after the other. Findings
 * stand on lines that the change touched, none twice and none that is `known`. What the model was not shown,
 * could not answer, or said without standing in the code, is noted. Lines with a credential that the secret
 * scan knows are not sent.
 *
 * @throws KodusError whatever the endpoint fails with, except an answer that cannot be used
 */
export async function reviewWithModel(request: ModelReviewRequest): Promise<ModelReview> {
  const { model, known, wishes, signal } = request
  const shown = shownFiles(request)
  const safe: FileToShow[] = []
  for (const file of shown.values()) {
    signal.throwIfAborted()
    safe.push(await maskSecrets(file))
    // Scanning is synchronous: let the lease's renewal and other jobs have their turn.
    await setImmediate()
  }
  const { batches, notes, unread } = planBatches(safe, request.budget)
  const inBatches = new Set(batches.flat().map((excerpt) => excerpt.path))
  unread.push(...request.files.map(({ path }) => path).filter((path) => !inBatches.has(path)))
  if (batches.length === 0)
    return { findings: [], notes, use: { used: false, reason: 'no new lines to read' }, unread }

  const use = { used: true as const, model: model.name, requests: 0, inputTokens: 0, outputTokens: 0 }
  const findings: Finding[] = []
  const dropped = new Map<string, number>()
  for (let batch = batches.shift(); batch; batch = batches.shift()) {
    signal.throwIfAborted()
    use.requests++
    const answer = await ask(request, batch)
    if (answer.unread === 'larger than its context' && batch.length > 1) {
      const half = Math.ceil(batch.length / 2)
      batches.unshift(batch.slice(0, half), batch.slice(half))
      continue
    }
    use.inputTokens += answer.inputTokens
    use.outputTokens += answer.outputTokens
    const read = answer.unread === undefined ? readModelAnswer(answer.value) : undefined
    if (answer.doubt || !read) unread.push(...batch.map((excerpt) => excerpt.path))
    if (answer.doubt) notes.push({ about: pathsOf(batch), reason: answer.doubt })
    if (!read) {
      const why = answer.unread ?? 'its answer is not a list of findings'
      notes.push({ about: pathsOf(batch), reason: `not reviewed by the model: ${why}` })
      continue
    }
    const said = read.findings.map((finding) => {
      const path = pathIn(batch, finding.path)
      const about = path === undefined ? undefined : shown.get(path)
      return about
        ? findingOf(finding, about.file, about.text, wishes.language)
        : 'about a file that was not shown'
    })
    for (const one of [
      ...said,
      ...Array<string>(read.malformed).fill('not of the shape that was asked for'),
    ]) {
      if (typeof one === 'string') dropped.set(one, (dropped.get(one) ?? 0) + 1)
      else if (![...known, ...findings].some((other) => saysTheSame(other, one))) findings.push(one)
    }
  }
  for (const [reason, count] of dropped) {
    notes.push({ about: 'model', reason: `${count} of its remarks not shown: ${reason}` })
  }
  return { findings, notes, use, unread: [...new Set(unread)] }
}

function shownFiles({ change, files }: ModelReviewRequest): Map<string, FileToShow> {
  const changed = new Map(change.files.map((file) => [file.path, file]))
  return new Map(
    files.flatMap(({ path, text }) => {
      const file = changed.get(path)
      return file ? [[path, { file, text }] as const] : []
    }),
  )
}

interface Asked extends ModelAnswer {
  /** Why there is no answer. */
  unread?: string
  /** Why the answer may not be about all that was asked. */
  doubt?: string
}

async function ask(request: ModelReviewRequest, batch: readonly Excerpt[]): Promise<Asked> {
  const { model, change, known, wishes, signal } = request
  const inBatch = known.filter((finding) => batch.some((excerpt) => excerpt.path === finding.path))
  const words = reviewPrompt({ change, excerpts: batch, known: inBatch, wishes })
  try {
    const answer = await model.answer({ ...words, schema: ANSWER_JSON_SCHEMA, schemaName: 'review', signal })
    const doubt = cutRequest(words.system.length + words.prompt.length, answer.inputTokens)
    return { ...answer, ...(doubt ? { doubt } : {}) }
  } catch (error) {
    const code = error instanceof KodusError ? error.code : undefined
    const nothing = { value: undefined, inputTokens: 0, outputTokens: 0 }
    if (code === 'MODEL_CONTEXT_EXCEEDED') return { ...nothing, unread: 'larger than its context' }
    if (code === 'MODEL_ANSWER_UNUSABLE') return { ...nothing, unread: (error as KodusError).message }
    throw error
  }
}

/** Code comes to 3 or 4 characters a token; a count far below says that the server read only a part. */
const MAX_CHARACTERS_PER_TOKEN = 8

/** Ollama cuts what is larger than its context without a word. */
function cutRequest(characters: number, tokens: number): string | undefined {
  if (tokens === 0 || characters / tokens <= MAX_CHARACTERS_PER_TOKEN) return undefined
  return `the model read ${tokens} tokens of a request of ${characters} characters: its server may have cut it to a smaller context`
}

/** The file a model means: as it was named to it, give or take what diffs put before a path. */
function pathIn(batch: readonly Excerpt[], name: string): string | undefined {
  const names = [name, name.replace(/^(\.|[ab])\//, '')]
  return batch.find((excerpt) => names.includes(printable(excerpt.path)))?.path
}
