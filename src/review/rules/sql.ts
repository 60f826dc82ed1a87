const STATEMENT = String.raw`\s*(select\b.+\bfrom\b|insert\s+into\b|update\s+\S+\s+set\b|delete\s+from\b)`
const BEFORE_VALUE = String.raw`(=|<|>|\bi?like)\s*['"]?%?`
const BEFORE_QUOTED = String.raw`(=|<|>|\bi?like)\s*'%?`

/** For ast-grep (Rust syntax): text that begins a statement. The whole verb is asked for, so that a log line beginning with "Update" is none. */
export const SQL_BEGINS = `(?is)^${STATEMENT}`

/** The same, for JavaScript. */
export const SQL_BEGINNING = new RegExp(`^${STATEMENT}`, 'is')

/** Text that ends where a value belongs. A table or column name put in there is another matter. */
export const SQL_ENDS_BEFORE_VALUE = new RegExp(`${BEFORE_VALUE}$`, 'i')

/** For ast-grep: a whole string literal, quotes included, that begins and ends so. */
export const SQL_LITERAL_BEFORE_VALUE = `(?is)^["'\`]{1,3}${STATEMENT}.*${BEFORE_VALUE}["'\`]{1,3}$`

/** Names of things that are SQL already, or of the schema: constants, placeholders, what has been escaped. */
export const SQL_SAFE_NAME =
  /placeholder|param|bind|escaped|quoted|literal|clause|condition|^ph$|(^|[._a-z])([tT]able|[cC]olumn|[sS]chema|[vV]iew|[iI]ndex|[tT]rigger|[sS]equence|[cC]onstraint)(_?[nN]ame)?$|^[A-Z][A-Z0-9_]*$/

/** Text that ends inside the quotes of a value: what follows is text whatever its type. */
export const SQL_QUOTED_BEFORE_VALUE = new RegExp(`${BEFORE_QUOTED}$`, 'i')

/** For ast-grep: a whole string literal that begins a statement and ends so. */
export const SQL_QUOTED_LITERAL_BEFORE_VALUE = `(?is)^"{1,3}${STATEMENT}.*${BEFORE_QUOTED}"{1,3}$`
