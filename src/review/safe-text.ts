import { codeFence } from '../lib/code-fence.ts'
import { printable } from './printable.ts'

/**
 * What does something in Markdown or HTML, on one forge or another: tags and comments, entities, mentions,
 * links and images, references to issues, GitLab's quick actions (`/close`).
 */
const LIVE = /<[a-z/!?]|-->|@\S|&[#\w]|:\/\/|www\.|mailto:|!\[|\]\(|\]\[|\]:|\[\[|[#!]\d|\bGH-\d|^\/[a-z]/i

/** What makes a block of the line that it begins. */
const BLOCK = /^(#+|>.*|~~~.*)$/

/**
 * Untrusted prose as one paragraph that a forge shows and does not obey. It stays readable: code spans are
 * kept, and a word that would be live becomes one. Doing it twice changes nothing.
 */
export function safeText(text: string): string {
  const line = balanced(
    printable(text)
      .replace(/(?<![\\`])[\\`]*`/g, '`')
      .trim(),
  )
  const parts = line
    .split('`')
    .map((part, index) => (index % 2 === 1 ? `\`${part}\`` : withoutLife(part, index === 0)))
  return parts.join('').replace(/ {2,}/g, ' ').trim()
}

function withoutLife(prose: string, isStart: boolean): string {
  return prose.replace(/\S+/g, (word, at: number) => {
    const live = LIVE.test(word) || (isStart && at === 0 && BLOCK.test(word))
    return live ? ` \`${word.replace(/\\+$/, '')}\` ` : word
  })
}

/** A backtick without its partner would turn every span after it inside out. */
function balanced(line: string): string {
  const ticks = line.split('`').length - 1
  if (ticks % 2 === 0) return line
  const last = line.lastIndexOf('`')
  return `${line.slice(0, last)}'${line.slice(last + 1)}`
}

/** A code span that holds any one line of text, backticks included. */
export function codeSpan(text: string): string {
  const line = printable(text)
  const fence = codeFence(line, 1)
  const pad = /^`|`$|^ .* $/.test(line) ? ' ' : ''
  return `${fence}${pad}${line}${pad}${fence}`
}

/** A fenced block that holds any code, fences included. */
export function codeBlock(info: string, code: string): string {
  const fence = codeFence(code, 3)
  return `${fence}${info}\n${code}\n${fence}`
}
