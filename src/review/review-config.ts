/** The configuration as the rest of the review sees it; how it is read is the business of `config/`. */
export { parseReviewConfig } from './config/parse-review-config.ts'
export { CONFIG_FILE, type CustomRule, defaultConfig, type ReviewConfig } from './config/review-config.ts'
export { reasonToSkipPath } from './config/skip-path.ts'
