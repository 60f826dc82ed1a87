import { findingId } from '../finding-id.ts'
import { matchesGlob } from '../glob.ts'
import { namePaths } from '../name-paths.ts'
import { cut, printable } from '../printable.ts'
import type { Finding, Note } from '../review.ts'
import type { CustomRule } from '../review-config.ts'
import { type MatcherProcess, type NoAnswer, startMatcher } from './custom-matcher-process.ts'
import type { FileToAnalyse } from './file.ts'
import { languageOf } from './languages.ts'
import { reasonNotToAnalyse } from './run-rules.ts'
import { textLines, touchedWithin, unindented } from './text-lines.ts'

/**
 * How long the rules of a repository may take. Nothing in a rule's own text bounds it: on a file of 256 Ki
 * characters, the most that is analysed, `kind` or `pattern` alone take 0.1 to 0.4 seconds and a `has` of one
 * level as long, while `regex`, or `has` with `stopBy: end`, take 0.1 seconds on flat code and more than a
 * minute on code nested 100 000 deep, in native code that nothing interrupts. A worker must renew the leases
 * of its other jobs meanwhile, so the rules run in a process of their own, and a rule that is too slow is
 * named and not asked again.
 */
export interface RuleLimits {
  /** Milliseconds for one rule on one file, or to parse it. */
  stepMs: number
  /** Milliseconds for all rules on all files. */
  totalMs: number
}

const LIMITS: RuleLimits = { stepMs: 5_000, totalMs: 90_000 }

/** A rule that says more about one file is about the file. */
const MAX_FINDINGS_PER_FILE = 20

/** How ast-grep joins an error to its cause. */
const CHAINED = /\.?\n\s*\|->\s*/g

/** To start the process, the first time: it loads five grammars. */
const START_MS = 15_000

/** Which rules ast-grep takes, tried on an empty file of each of their languages; why not the others. */
export async function checkCustomRules(
  rules: readonly CustomRule[],
  signal: AbortSignal,
  limits = LIMITS,
): Promise<{ usable: CustomRule[]; problems: string[] }> {
  const problems: string[] = []
  const refused = new Set<CustomRule>()
  const session = openSession(limits, signal)
  try {
    for (const rule of rules) {
      for (const language of rule.languages) {
        const matched = await session.match(rule, { language, text: '' })
        if (Array.isArray(matched)) continue
        problems.push(`\`customRules ${rule.id}\` is not used: ${matched.why}`)
        refused.add(rule)
        break
      }
    }
  } finally {
    session.close()
  }
  return { usable: rules.filter((rule) => !refused.has(rule)), problems }
}

/**
 * What a repository's own rules find on lines that the change touched, in files that the built-in rules would
 * analyse too. What a rule was not asked, or has found besides, is noted.
 */
export async function runCustomRules(
  rules: readonly CustomRule[],
  files: readonly FileToAnalyse[],
  signal: AbortSignal,
  limits = LIMITS,
): Promise<{ findings: Finding[]; notes: Note[] }> {
  const findings: Finding[] = []
  const notes: Note[] = []
  const stopped = new Set<CustomRule>()
  const unread: string[] = []
  const session = openSession(limits, signal)
  try {
    for (const file of files) {
      const language = languageOf(file.path)
      if (!language || file.touched.size === 0 || reasonNotToAnalyse(file)) continue
      const asked = rules.filter(
        (rule) =>
          rule.languages.includes(language) &&
          (rule.paths.length === 0 || matchesGlob(rule.paths, file.path)),
      )
      for (const rule of asked) {
        if (stopped.has(rule)) continue
        if (session.isSpent()) {
          unread.push(file.path)
          break
        }
        const matched = await session.match(rule, { language, text: file.text })
        if (!Array.isArray(matched)) {
          stopped.add(rule)
          notes.push({
            about: `custom/${rule.id}`,
            reason: `stopped at ${printable(file.path)}, and not applied there or after it: ${matched.why}`,
          })
          continue
        }
        const found = findingsOf(rule, file, matched)
        findings.push(...found.slice(0, MAX_FINDINGS_PER_FILE))
        if (found.length > MAX_FINDINGS_PER_FILE) {
          notes.push({
            about: `custom/${rule.id}`,
            reason: `${found.length} findings in ${printable(file.path)}: the first ${MAX_FINDINGS_PER_FILE} are shown`,
          })
        }
      }
    }
  } finally {
    session.close()
  }
  if (unread.length > 0) {
    const reason = `not analysed by customRules, or not by all: they took longer than ${limits.totalMs / 1_000} seconds`
    notes.push({ about: namePaths(unread), reason })
  }
  return { findings, notes }
}

type Lines = [line: number, endLine: number]

interface Session {
  /** @throws `signal.reason` if aborted */
  match(rule: CustomRule, file: OpenFile): Promise<Lines[] | { why: string }>
  /** All the time there was for rules is used up. */
  isSpent(): boolean
  close(): void
}

type OpenFile = { language: CustomRule['languages'][number]; text: string }

/** One process after the other: one that has not answered is replaced when there is something to ask again. */
function openSession(limits: RuleLimits, signal: AbortSignal): Session {
  let matcher: MatcherProcess | undefined
  let opened: OpenFile | undefined
  let spentMs = 0

  const ask = async (question: Parameters<MatcherProcess['ask']>[0]) => {
    const started = performance.now()
    const isNew = matcher === undefined
    matcher ??= startMatcher()
    const answer = await matcher.ask(question, limits.stepMs + (isNew ? START_MS : 0), signal)
    spentMs += performance.now() - started
    if (typeof answer === 'string') matcher = opened = undefined
    return answer
  }
  return {
    async match(rule, file) {
      if (!matcher || opened?.text !== file.text || opened.language !== file.language) {
        const answer = await ask({ ask: 'open', ...file })
        if (typeof answer === 'string' || 'error' in answer) return { why: whyNot(answer, limits) }
        opened = file
      }
      const answer = await ask({ ask: 'match', rule: rule.rule })
      return typeof answer === 'object' && 'matches' in answer
        ? answer.matches
        : { why: whyNot(answer, limits) }
    },
    isSpent: () => spentMs > limits.totalMs,
    close: () => matcher?.close(),
  }
}

function whyNot(answer: NoAnswer | { error: string }, { stepMs }: RuleLimits): string {
  if (typeof answer === 'object') return cut(printable(answer.error.replaceAll(CHAINED, '; ')), 200)
  if (answer === 'too slow') return `it took longer than ${stepMs / 1_000} seconds`
  return 'the process that ran it ended'
}

function findingsOf(rule: CustomRule, file: FileToAnalyse, matches: readonly Lines[]): Finding[] {
  const lines = textLines(file.text)
  const byLine = new Map(matches.toReversed())
  const name = `custom/${rule.id}`
  const occurrences = new Map<string, number>()
  const findings: Finding[] = []
  for (const [line, endLine] of [...byLine].sort(([a], [b]) => a - b)) {
    // Lines that nobody touched count too, so that touching one twin does not change the other's id.
    const code = unindented(lines.slice(line, endLine))
    const before = occurrences.get(code) ?? 0
    occurrences.set(code, before + 1)
    if (!touchedWithin(file.touched, line, endLine)) continue
    const { severity, what, why, advice } = rule
    const id = findingId(name, file.path, code, before)
    findings.push({
      id,
      source: 'rule',
      rule: name,
      path: file.path,
      line,
      endLine,
      severity,
      what,
      why,
      advice,
    })
  }
  return findings
}
