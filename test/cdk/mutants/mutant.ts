/** Properties of the first resource of a type that has this in it. */
// biome-ignore lint/suspicious/noExplicitAny: a mutant may be anything
export type Find = (type: string, having?: string) => any

/** The same resource itself, with its policies. */
export type FindWhole = Find

/** What is done wrongly, for one launch type, or beside PM2, and what is said of it. */
export type Mutant = readonly [
  what: string,
  launch: 'ec2' | 'fargate' | 'pm2',
  said: RegExp,
  mutate: (find: Find, findWhole: FindWhole) => void,
]
