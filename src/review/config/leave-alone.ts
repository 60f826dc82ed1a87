import type { ReviewRequest } from '../../jobs/review-request.ts'
import { matchesGlob } from '../glob.ts'
import { printable } from '../printable.ts'
import type { ReviewConfig } from './review-config.ts'

/**
 * Why the repository does not want this pull request reviewed by itself, in words that follow "not reviewed: ";
 * undefined where it does. What somebody asked for, and what is no pull request, is always reviewed.
 */
export function reasonToLeaveAlone(request: ReviewRequest, config: ReviewConfig): string | undefined {
  if (request.approvedBy || request.pullRequest === null) return undefined
  if (!config.automatedReviewActive) return 'this repository reviews on request only (automatedReviewActive)'
  if (request.draft && !config.runOnDraft) return 'it is a draft (runOnDraft)'
  const keyword = config.ignoredTitleKeywords.find((word) => hasWord(request.title, word))
  if (keyword) return `its title has "${printable(keyword)}" in it (ignoredTitleKeywords)`
  const { baseBranch } = request
  if (baseBranch && config.baseBranches.length > 0 && !matchesGlob(config.baseBranches, baseBranch)) {
    return `pull requests into ${printable(baseBranch)} are not reviewed here (baseBranches)`
  }
  return undefined
}

/** Whether a word stands in a text by itself: `wip` is not in `Swipe to delete`, `[wip]` is in `[WIP]Swipe`. */
function hasWord(text: string, word: string): boolean {
  const [all, sought] = [text.toLowerCase(), word.trim().toLowerCase()]
  for (let at = all.indexOf(sought); at >= 0; at = all.indexOf(sought, at + 1)) {
    const before = isLetter(all.charAt(at - 1)) && isLetter(sought.charAt(0))
    const end = at + sought.length
    const after = isLetter(all.charAt(end)) && isLetter(sought.charAt(sought.length - 1))
    if (!before && !after) return true
  }
  return false
}

function isLetter(character: string): boolean {
  return /[\p{L}\p{N}_]/u.test(character)
}
