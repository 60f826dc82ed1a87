import { stripVTControlCharacters } from 'node:util'

/** Control, format (zero-width, bidirectional), private-use characters and halves of surrogate pairs. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}]/gu

/**
 * One line of text that shows what it is: no escape sequences that drive a terminal, no characters that hide
 * or reorder what is read.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(text.replace(/\s+/g, ' ')).replace(INVISIBLE, '')
}

/** The same for code: line breaks and tabs stay. */
export function printableCode(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\r\n?/g, '\n')
    .replace(INVISIBLE, (character) => (character === '\n' || character === '\t' ? character : ''))
}

/** The beginning of a text: at most `limit` UTF-16 units of it, and no half of a character. */
export function cut(text: string, limit: number): string {
  return text.length > limit ? text.slice(0, limit).replace(/\p{Cs}$/u, '') : text
}
