import { COMMANDS, type CommandName } from '../jobs/review-request.ts'

/**
 * How people address the reviewer, at the beginning of a line: up to three spaces, as in Markdown; no longer name
 * that only begins so; the rest of the line.
 */
const ADDRESSED = /^ {0,3}@kody(?![\w-])[:,]?[ \t]*(.*)$/i

/** What opens or ends a block of code, as in Markdown: of backticks, nothing with a backtick behind them opens one. */
const FENCE = /^ {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)$/

export interface ParsedCommand {
  /** `unknown`: addressed with words that are no command. */
  command: CommandName | 'unknown'
  force: boolean
}

/**
 * The command in a comment: the first line that begins with `@kody`. Quoted text and blocks of code address
 * nobody. A line with anything else on it than a command is unknown, lest a remark in passing do something.
 *
 * @returns undefined when the comment does not address the reviewer
 */
export function parseCommand(comment: string): ParsedCommand | undefined {
  let open: string | undefined
  for (const line of comment.split(/\r\n|\r|\n/)) {
    const [, fence = '', behind = ''] = FENCE.exec(line) ?? []
    if (open === undefined) open = fence || undefined
    else if (fence.startsWith(open) && behind.trim() === '') open = undefined
    const words = open === undefined ? ADDRESSED.exec(line)?.[1] : undefined
    if (words !== undefined) return commandOf(words.toLowerCase().split(/\s+/).filter(Boolean))
  }
  return undefined
}

function commandOf([name = 'help', ...options]: string[]): ParsedCommand {
  const command = COMMANDS.find((known) => known === name.replace(/[.!]$/, ''))
  const force = command === 'review' && options.length === 1 && options[0] === '--force'
  return command && (force || options.length === 0)
    ? { command, force }
    : { command: 'unknown', force: false }
}
