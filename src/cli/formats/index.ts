import type { Review } from '../../review/review.ts'
import type { FormatContext } from './context.ts'
import { jsonFormat } from './json.ts'
import { markdownFormat } from './markdown.ts'
import { sarifFormat } from './sarif.ts'
import { textFormat } from './text.ts'

export type { FormatContext, RuleFacts } from './context.ts'

const BY_NAME = {
  text: textFormat,
  json: jsonFormat,
  markdown: markdownFormat,
  sarif: sarifFormat,
} as const satisfies Record<string, (review: Review, context: FormatContext) => string>

export type FormatName = keyof typeof BY_NAME

export const FORMATS = Object.keys(BY_NAME) as FormatName[]

/** A review, ready to print; it ends without a line break. */
export function formatReview(review: Review, format: FormatName, context: FormatContext): string {
  return BY_NAME[format](review, context)
}
