import { setImmediate } from 'node:timers/promises'
import type { SgNode } from '@ast-grep/napi'
import { findingId } from '../finding-id.ts'
import type { Finding } from '../review.ts'
import type { FileToAnalyse } from './file.ts'
import { RULES } from './index.ts'
import { languageOf, parseAs } from './languages.ts'
import type { Rule } from './rule.ts'
import { type TextLines, textLines, touchedWithin, unindented } from './text-lines.ts'

/** A longer node is reported at its first line alone: a reader cannot tell what in it is meant. */
const MAX_LINES = 10

/** In UTF-16 code units. The costliest text known of this length took all rules three seconds. */
const MAX_LENGTH = 256 * 1024

/** A line with more mistakes than this is no line that a person wrote: it gets no replacement. */
const MAX_FIXES = 20

/** Directories and file names that the usual test runners look for. `src/test/` of Java is one of them. */
const TEST_PATH =
  /(^|\/)(tests?|__tests__|specs?|e2e|testdata)\/|[._-](test|spec)\.\w+$|(^|\/)(test_[^/]*|conftest)\.py$|(^|\/)(Test[A-Z][^/]*|[^/]*(Tests?|TestCase|[a-z]IT))\.java$/

/** Whether there are rules for the language of the file at this path. */
export function analysedByRules(path: string): boolean {
  return languageOf(path) !== undefined
}

/** Why `runRules` leaves a file alone although it knows its language, in words for a reader of the review. */
export function reasonNotToAnalyse(file: FileToAnalyse): string | undefined {
  if (!analysedByRules(file.path) || file.text.length <= MAX_LENGTH) return undefined
  return `longer than ${MAX_LENGTH / 1024} Ki characters`
}

/**
 * What the rules of the file's language find on lines that the change touched.
 *
 * A finding stands where a touched line lies in the narrow node that the rule reports (`forEach`, not the
 * callback it is given): one line changed in a function's body says nothing about its head. Several mistakes
 * of one kind on one line are one finding. A file that does not parse is analysed as far as it does. In a
 * file for which there is a `reasonNotToAnalyse`, nothing is found. Never throws because of what is in the file.
 */
export async function runRules(file: FileToAnalyse): Promise<Finding[]> {
  const language = languageOf(file.path)
  if (language === undefined || file.touched.size === 0 || reasonNotToAnalyse(file) !== undefined) return []
  const root = parseAs(language, file.text)
  const lines = textLines(file.text)
  const isTest = TEST_PATH.test(file.path)
  const findings: Finding[] = []
  for (const rule of RULES) {
    if (!rule.languages.includes(language) || (rule.notInTests && isTest)) continue
    findings.push(...findingsOf(rule, root, file, lines))
    // A file at the limit can take seconds in all: whoever shares the event loop renews leases meanwhile.
    await setImmediate()
  }
  return findings.sort((a, b) => a.line - b.line || (a.rule < b.rule ? -1 : 1))
}

function findingsOf(rule: Rule, root: SgNode, file: FileToAnalyse, lines: TextLines): Finding[] {
  const matches = root.findAll(rule.match)
  if (matches.length === 0 || (rule.fileHas && !root.find(rule.fileHas))) return []
  if (rule.unlessFileHas && root.find(rule.unlessFileHas)) return []
  const nodes = matches
    .flatMap((match) => rule.at?.(match) ?? [match])
    .filter(notWithin(rule.unlessWithin ? root.findAll(rule.unlessWithin) : []))

  const findings: Finding[] = []
  const occurrences = new Map<string, number>()
  for (const [line, onLine] of groupByLine(nodes)) {
    const endLine = lastLine(onLine, line)
    // Lines that nobody touched count too, so that touching one twin does not change the other's id.
    const code = unindented(lines.slice(line, endLine))
    const before = occurrences.get(code) ?? 0
    occurrences.set(code, before + 1)
    if (!touchedWithin(file.touched, line, endLine)) continue

    const replacement = rule.fix && replaceAll(onLine, rule.fix, file.text, lines, line, endLine)
    findings.push({
      id: findingId(rule.id, file.path, code, before),
      source: 'rule',
      rule: rule.id,
      path: file.path,
      line,
      endLine,
      severity: rule.severity,
      what: rule.what,
      why: rule.why,
      advice: rule.advice,
      ...(replacement === undefined ? {} : { replacement }),
    })
  }
  return findings
}

/** Whether a node is in none of these parts, in logarithmic time: hostile files have many of both. */
function notWithin(parts: readonly SgNode[]): (node: SgNode) => boolean {
  const inOrder = parts.map((part) => part.range()).sort((a, b) => a.start.index - b.start.index)
  const ends: number[] = []
  for (const { end } of inOrder) ends.push(Math.max(end.index, ends.at(-1) ?? 0))
  return (node) => {
    const { start, end } = node.range()
    let [low, high] = [0, inOrder.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((inOrder[middle]?.start.index ?? 0) <= start.index) low = middle + 1
      else high = middle
    }
    return low === 0 || (ends[low - 1] ?? 0) < end.index
  }
}

function groupByLine(nodes: readonly SgNode[]): Map<number, SgNode[]> {
  const groups = new Map<number, SgNode[]>()
  for (const node of nodes) {
    const line = node.range().start.line + 1
    const group = groups.get(line)
    if (group) group.push(node)
    else groups.set(line, [node])
  }
  return groups
}

function lastLine(nodes: readonly SgNode[], line: number): number {
  const ends = nodes.map((node) => {
    const { end } = node.range()
    return end.column === 0 ? Math.max(end.line, line) : end.line + 1
  })
  const last = ends.reduce((a, b) => Math.max(a, b), line)
  return last - line < MAX_LINES ? last : line
}

/** Lines `line` to `endLine` with every node fixed, or undefined where one has no fix, or two overlap. */
function replaceAll(
  nodes: readonly SgNode[],
  fix: (node: SgNode) => string | undefined,
  text: string,
  lines: TextLines,
  line: number,
  endLine: number,
): string | undefined {
  if (nodes.length > MAX_FIXES) return undefined
  const inOrder = nodes.map((node) => ({ node, range: node.range() }))
  inOrder.sort((a, b) => a.range.start.index - b.range.start.index)
  let replaced = ''
  let at = lines.start(line)
  const end = lines.end(endLine)
  for (const { node, range } of inOrder) {
    if (range.start.index < at || range.end.index > end) return undefined
    const fixed = fix(node)
    if (fixed === undefined) return undefined
    replaced += text.slice(at, range.start.index) + fixed
    at = range.end.index
  }
  return replaced + text.slice(at, end)
}
