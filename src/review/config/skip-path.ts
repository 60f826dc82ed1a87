import { matchesGlob } from '../glob.ts'
import type { ReviewConfig } from './review-config.ts'

/** Why the repository wants a file left alone, in words that follow "not reviewed: "; undefined where it does not. */
export function reasonToSkipPath(
  { paths, ignorePaths }: Pick<ReviewConfig, 'paths' | 'ignorePaths'>,
  path: string,
): string | undefined {
  if (paths.length > 0 && !matchesGlob(paths, path)) return 'not among `paths`'
  if (matchesGlob(ignorePaths, path)) return 'ignored by `ignorePaths`'
  return undefined
}
