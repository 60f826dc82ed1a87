import * as v from 'valibot'

export const DEFAULT_LIMIT = 20
const LIMIT = 'must be a whole number from 1 to 100'

/** Text for PostgreSQL, which cannot hold a NUL. */
export const Text = v.pipe(
  v.string('must be given once'),
  v.nonEmpty('must not be empty'),
  v.maxLength(1000, 'is too long'),
  v.excludes('\0', 'must not hold a NUL'),
)

/** How much of a list one page holds. */
export const Limit = v.pipe(
  v.string(LIMIT),
  v.digits(LIMIT),
  v.transform(Number),
  v.number(),
  v.integer(),
  v.minValue(1, LIMIT),
  v.maxValue(100, LIMIT),
  v.metadata({ default: DEFAULT_LIMIT }),
)
