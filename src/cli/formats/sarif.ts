import { printable } from '../../review/printable.ts'
import type { Finding, Note, Review, Severity } from '../../review/review.ts'
import { version } from '../installation.ts'
import type { FormatContext, RuleFacts } from './context.ts'
import { jsonText } from './json.ts'
import { describeModelUse } from './summary.ts'

const LEVELS: Record<Severity, 'error' | 'warning' | 'note'> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
}

/** SARIF 2.1.0, for code scanning and editors. What was not reviewed is a notification of the run. */
export function sarifFormat(review: Review, context: FormatContext): string {
  const rules = allRules(review.findings, context.rules ?? [])
  const indexes = new Map(rules.map((rule, index) => [rule.id, index]))
  const run = {
    tool: {
      driver: {
        name: 'kodus',
        semanticVersion: version,
        rules,
        notifications: [{ id: 'not-reviewed', shortDescription: { text: 'Not reviewed, or not fully.' } }],
      },
    },
    invocations: [{ executionSuccessful: true, toolExecutionNotifications: notifications(review) }],
    ...provenance(review, context),
    columnKind: 'utf16CodeUnits',
    results: review.findings.map((finding) => ({
      ...resultOf(finding),
      ruleIndex: indexes.get(finding.rule),
    })),
    properties: { repository: context.repository, base: review.base, head: review.head },
  }
  return jsonText({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] })
}

function resultOf(finding: Finding) {
  const { id, rule, path, line, endLine, severity, what, why, advice, replacement } = finding
  const artifactLocation = { uri: uriOf(path) }
  return {
    ruleId: rule,
    level: LEVELS[severity],
    message: message([what, why, advice].filter(Boolean).join('\n\n')),
    locations: [{ physicalLocation: { artifactLocation, region: { startLine: line, endLine } } }],
    partialFingerprints: { 'kodusFinding/v1': id },
    ...(replacement === undefined
      ? {}
      : {
          fixes: [
            {
              description: message(advice),
              artifactChanges: [
                {
                  artifactLocation,
                  // Without columns, a region is its lines without the last line break.
                  replacements: [
                    { deletedRegion: { startLine: line, endLine }, insertedContent: { text: replacement } },
                  ],
                },
              ],
            },
          ],
        }),
    properties: { severity },
  }
}

const FOUND_BY: Record<Finding['source'], string> = {
  rule: 'Found by a rule.',
  secret: 'A secret in the source.',
  model: 'A defect that a language model reports.',
}

function allRules(findings: readonly Finding[], known: readonly RuleFacts[]) {
  const rules = known.map(({ id, severity, what, why, advice }) => ({
    id,
    shortDescription: message(what),
    fullDescription: message(why),
    help: message(advice),
    defaultConfiguration: { level: LEVELS[severity] },
  }))
  const others = new Map(
    findings
      .filter((finding) => !known.some((rule) => rule.id === finding.rule))
      .map(({ rule, source }) => [rule, { id: rule, shortDescription: { text: FOUND_BY[source] } }]),
  )
  return [...rules, ...others.values()]
}

function notifications({ notes, model }: Review) {
  const notify = ({ about, reason }: Note, level: 'warning' | 'note') => ({
    descriptor: { id: 'not-reviewed' },
    level,
    message: message(`${printable(about)}: ${printable(reason)}`),
  })
  const ofModel = model.used ? [] : [notify({ about: 'model', reason: describeModelUse(model) }, 'note')]
  return [...notes.map((note) => notify(note, 'warning')), ...ofModel]
}

/** Only where the repository has a URL; without the credentials that it may carry. */
function provenance({ head }: Review, { repository }: FormatContext) {
  const url =
    /^(https?|ssh):\/\//.test(repository) && URL.canParse(repository) ? new URL(repository) : undefined
  if (!url) return {}
  url.username = ''
  url.password = ''
  return { versionControlProvenance: [{ repositoryUri: url.href, revisionId: head }] }
}

/** SARIF gives meaning to `[text](target)` in a message, and none to anything else. */
function message(text: string): { text: string } {
  return { text: text.replaceAll('](', '] (') }
}

/** A path as a relative URI; a name that is no valid Unicode keeps a place in it. */
function uriOf(path: string): string {
  const wellFormed = Buffer.from(path).toString()
  return wellFormed.split('/').map(encodeURIComponent).join('/')
}
