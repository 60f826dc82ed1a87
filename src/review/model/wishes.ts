import { matchesGlob } from '../glob.ts'
import { cut } from '../printable.ts'
import type { ReviewConfig } from '../review-config.ts'

/** The part of a repository's configuration that is for the model. */
export type Wishes = Pick<ReviewConfig, 'language' | 'reviewOptions' | 'instructions'>

/** What a defect is, by the option that asks for it. */
const SOUGHT: Readonly<Record<keyof Wishes['reviewOptions'], string>> = {
  bug: 'wrong behaviour, lost or corrupted data, races, leaks, broken error handling',
  security: 'security holes',
  performance: 'waste that users will feel',
  businessLogic: 'code that does something else than the change says it is for',
}

export function isEnglish(language: string): boolean {
  return /^en(glish)?\b/i.test(language)
}

/** What the model is asked to look for; empty when every option is switched off. */
export function soughtDefects({ reviewOptions }: Wishes): string[] {
  const kinds = Object.keys(SOUGHT) as (keyof typeof SOUGHT)[]
  return kinds.filter((kind) => reviewOptions[kind]).map((kind) => SOUGHT[kind])
}

/**
 * The instructions that are for at least one of these files. Which files they are for is said in the words of
 * the configuration: the names of changed files come from strangers.
 */
export function instructionsFor({ instructions }: Wishes, paths: readonly string[]): string[] {
  return instructions
    .filter(({ paths: globs }) => globs.length === 0 || paths.some((path) => matchesGlob(globs, path)))
    .map(({ text, paths: globs }) => {
      const where = globs.map((glob) => glob.join('/')).join(', ')
      return where ? `(only in ${cut(where, 500)}) ${text}` : text
    })
}

/** Whether there is anything for a model to do. */
export function wantsModel(wishes: Wishes): boolean {
  return soughtDefects(wishes).length > 0 || wishes.instructions.length > 0
}
