import { english } from './en.ts'
import { brazilianPortuguese } from './pt-br.ts'
import type { Words } from './words.ts'

export type { Counts, FilesRead, Words } from './words.ts'

/** Our words in a language, as a configuration names it (`en`, `pt-BR`); English where we have none. */
export function wordsFor(language = 'en'): Words {
  return /^pt([-_]|$)/i.test(language) ? brazilianPortuguese : english
}
