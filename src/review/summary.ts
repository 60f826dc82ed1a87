import { boundedList } from './bounded-list.ts'
import { cut } from './printable.ts'
import type { Finding, Note, Review } from './review.ts'
import { CONFIG_FILE } from './review-config.ts'
import { codeSpan, safeText } from './safe-text.ts'
import type { Counts, Words } from './words/index.ts'

/** Characters of each list. GitHub takes 65 536 in a comment, and 65 535 in a check run's summary. */
const MAX_LIST = 10_000

/** A longer list is folded. */
const SHORT = 5

/** Paths and remarks are cut here: an item is to be read at a glance. */
const MAX_PATH = 200
const MAX_TEXT = 300
const MAX_NAMES = 600

const COMMANDS = ['review', 'review --force', 'pause', 'resume', 'ignore', 'help']

/**
 * The comment that tells where a pull request stands: what is open, what was read, what was left out and
 * why. Nothing that comes from a change, a model or a configuration becomes markup there, or mentions anybody.
 */
export function summaryOf(review: Review, counts: Counts, words: Words): string {
  const { base, head, since, files, model } = review
  const short = (commit: string) => codeSpan(commit.slice(0, 7))
  const range = codeSpan(`${base.slice(0, 7)}..${head.slice(0, 7)}`)
  const placed = (finding: Finding) => item(finding, `${cut(finding.path, MAX_PATH)}:${finding.line}`, words)
  // Its line is one of an older head.
  const gone = (finding: Finding) => item(finding, cut(finding.path, MAX_PATH), words)
  const isOfConfig = ({ about }: Note) => about === CONFIG_FILE
  const problems = review.notes.filter(isOfConfig).map(reasonOf)
  const notes = review.notes
    .filter((note) => !isOfConfig(note))
    .map((note) => `${codeSpan(cut(note.about, MAX_NAMES))}: ${reasonOf(note)}`)
  const list = (title: string, items: string[]) => section(title, items, words)
  return [
    `### ${words.heading(range)}`,
    words.progress(counts),
    ...list(words.newFindings, review.findings.map(placed)),
    ...list(words.returned, review.returned.map(placed)),
    ...list(words.stillOpen, review.carried.map(placed)),
    ...list(words.fixed, review.fixed.map(gone)),
    ...list(words.configProblems, problems),
    ...list(words.notReviewed, notes),
    [
      words.filesRead({ ...files, unchanged: files.unchanged ?? 0, since: since && short(since) }),
      words.model(
        model,
        model.used ? codeSpan(cut(model.model, MAX_PATH)) : safeText(cut(model.reason, MAX_TEXT)),
      ),
    ].join(' '),
    words.commands(COMMANDS.map((command) => codeSpan(`@kody ${command}`)).join(', ')),
  ].join('\n\n')
}

function section(title: string, items: string[], words: Words): string[] {
  if (items.length === 0) return []
  const list = boundedList(items, MAX_LIST, words.more).join('\n')
  if (items.length <= SHORT) return [`**${title}**`, list]
  return [`<details><summary>${title} (${items.length})</summary>`, list, '</details>']
}

function item({ severity, what }: Finding, place: string, words: Words): string {
  return `${words.severity[severity]}: ${codeSpan(place)} ${safeText(cut(what, MAX_TEXT))}`
}

function reasonOf({ reason }: Note): string {
  return safeText(cut(reason, MAX_TEXT))
}
