import type { NapiConfig, SgNode } from '@ast-grep/napi'
import type { Severity } from '../review.ts'

export type Language = 'typescript' | 'tsx' | 'javascript' | 'python' | 'go' | 'java'

/** Every dialect that a rule under `typescript/` reads. */
export const SCRIPT_LANGUAGES: readonly Language[] = ['typescript', 'tsx', 'javascript']

/** What ast-grep calls a rule object: one condition on a node. */
export type Shape = NapiConfig['rule']

/**
 * A mistake, as data: how it looks in the syntax tree and what a reviewer says about it.
 *
 * A file's cost must grow with its length, not its square. So `match` describes the tree from the top down
 * (`has`, fields, patterns): ast-grep finds a node's parent and siblings by walking down from the root, and
 * `inside`, `nthChild`, `follows` and `precedes` do so for every candidate. `stopBy: 'end'` and `regex` read
 * all that is below a node: only under nodes that do not nest, or with the kind of a leaf.
 * `at` and `fix` ask a node for its kind, fields, children and text, never for its parent or siblings, and
 * never `matches()`, which compiles its rule anew on every call.
 */
export interface Rule {
  /** The path of its file below `rules/`, without the extension. */
  id: string
  languages: readonly Language[]
  severity: Severity
  what: string
  why: string
  advice: string
  match: NapiConfig
  /** Set where the mistake is harmless in a test, which talks to itself: security that tests have no need of. */
  notInTests?: true
  /** Something the file must have besides, such as the import that tells one `exec` from another. */
  fileHas?: NapiConfig
  /** Something in the file that says the mistake is none, such as a check of its own in the place of the usual one. */
  unlessFileHas?: NapiConfig
  /** Parts of a file in which the mistake is made on purpose, such as what an option called `insecure` brings about. */
  unlessWithin?: NapiConfig
  /**
   * The narrow nodes of a match that are the mistake, where that is not all of it. They decide on which lines
   * it is reported, and so whether the change has touched it.
   */
  at?: (match: SgNode) => SgNode[]
  /** Text in the place of the reported node, only where it is right in every case; undefined where not. */
  fix?: (node: SgNode) => string | undefined
  /** Whole files: each bad one has this mistake and no other, a good one has none. */
  examples: { bad: readonly string[]; good: readonly string[] }
}

/** Follows fields down from a node. @returns the node there as a list of one, or none */
export function descend(node: SgNode, ...fields: string[]): SgNode[] {
  let found: SgNode | null = node
  for (const field of fields) found = found?.field(field) ?? null
  return found ? [found] : []
}
