import { styleText } from 'node:util'
import { printable, printableCode } from '../../review/printable.ts'
import type { Finding, Review, Severity } from '../../review/review.ts'
import type { FormatContext } from './context.ts'
import { describeModelUse, summarize } from './summary.ts'

type Style = Parameters<typeof styleText>[0]

const SEVERITY_STYLES: Record<Severity, Style> = {
  critical: ['bold', 'red'],
  high: 'red',
  medium: 'yellow',
  low: 'cyan',
}

/** Columns that prose is wrapped at. */
const WIDTH = 100

/**
 * For people at a terminal: findings by file, the file with the worst first, then what was not looked at.
 * Nothing that a repository or a model wrote can drive the terminal.
 */
export function textFormat(review: Review, context: FormatContext): string {
  const style = (format: Style, text: string) =>
    context.color ? styleText(format, text, { validateStream: false }) : text
  const { title, repository } = context
  const about = title ? `${printable(title)} (${printable(repository)})` : printable(repository)
  const blocks = [
    `${style('bold', about)}\n${style('dim', `${review.base.slice(0, 12)}..${review.head.slice(0, 12)}`)}`,
  ]

  for (const [path, findings] of byFile(review.findings)) {
    const shown = findings.map((finding) => describe(finding, context, style))
    blocks.push([style(['bold', 'underline'], printable(path)), ...shown].join('\n'))
  }
  if (review.notes.length > 0) {
    const notes = review.notes.map(({ about, reason }) =>
      wrap(`${printable(about)}: ${printable(reason)}`, '  '),
    )
    blocks.push([style('bold', 'Not reviewed, or not fully'), ...notes].join('\n'))
  }
  const verdict = style('bold', `${summarize(review)}.`)
  blocks.push(`Model: ${printable(describeModelUse(review.model))}.\n${verdict}`)
  return blocks.join('\n\n')
}

function byFile(findings: readonly Finding[]): Map<string, Finding[]> {
  const files = new Map<string, Finding[]>()
  for (const finding of findings) files.set(finding.path, [...(files.get(finding.path) ?? []), finding])
  for (const inFile of files.values()) inFile.sort((a, b) => a.line - b.line)
  return files
}

function describe(
  finding: Finding,
  context: FormatContext,
  style: (format: Style, text: string) => string,
): string {
  const { path, line, severity, what, why, advice, rule } = finding
  const lines = [
    `  ${printable(path)}:${line}  ${style(SEVERITY_STYLES[severity], severity)}  ${style('dim', printable(rule))}`,
    style('bold', wrap(printable(what), '    ')),
    wrap(printable(why), '    '),
    wrap(`Instead: ${printable(advice)}`, '    '),
  ]
  return [...lines, ...diff(finding, context, style)].filter((line) => line.trim() !== '').join('\n')
}

function diff(
  finding: Finding,
  { original }: FormatContext,
  style: (format: Style, text: string) => string,
): string[] {
  if (finding.replacement === undefined) return []
  const { line, endLine } = finding
  const mark = (sign: string, color: Style, code: string) =>
    printableCode(code)
      .split('\n')
      .map((text) => style(color, `    ${sign} ${text}`))
  const before = original?.(finding)
  return [
    style('dim', line === endLine ? `    line ${line} becomes` : `    lines ${line} to ${endLine} become`),
    ...(before === undefined ? [] : mark('-', 'red', before)),
    ...mark('+', 'green', finding.replacement),
  ]
}

function wrap(text: string, indent: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last && indent.length + last.length + 1 + word.length > WIDTH) lines.push(word)
    else lines[lines.length - 1] = last ? `${last} ${word}` : word
  }
  return lines.map((line) => indent + line).join('\n')
}
