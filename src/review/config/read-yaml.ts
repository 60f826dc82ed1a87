import { type Document, isMap, isNode, isScalar, parseDocument, visit } from 'yaml'
import { cut } from '../printable.ts'

/** A key at the top of a file, and its value; reading the value is put off, for it may throw. */
export interface Entry {
  name: string
  /** @throws ReferenceError for an alias of nothing, or more of them than anybody needs */
  value(): unknown
}

/** The keys at the top of a YAML file. A key that is there twice is a problem, and there twice. */
export function readYaml(text: string): { entries: Entry[]; problems: string[] } {
  const document = parseDocument(text, { logLevel: 'error', uniqueKeys: false })
  const [error] = document.errors
  if (error) return { entries: [], problems: [`not valid YAML: ${error.message.split('\n')[0]}`] }
  const { contents } = document
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return { entries: [], problems: [] }
  }
  if (!isMap(contents)) return { entries: [], problems: ['not a mapping of keys to values'] }
  const entries = contents.items.map(({ key, value }) => ({
    name: isScalar(key) ? String(key.value) : '(not a name)',
    // maxAliasCount bounds what a few bytes of anchors can grow to.
    value: () => (isNode(value) ? value.toJS(document, { maxAliasCount: 100 }) : null),
  }))
  return { entries, problems: repeatedKeys(document) }
}

/** The parser's own check compares each key with all before it: seconds for a file of nothing but keys. */
function repeatedKeys(document: Document): string[] {
  const problems: string[] = []
  visit(document, {
    Map(_, { items }) {
      const seen = new Set<unknown>()
      for (const { key } of items) {
        const name = isScalar(key) ? key.value : key
        if (seen.has(name)) problems.push(`\`${cut(String(name), 100)}\` is there twice: the last one counts`)
        seen.add(name)
      }
    },
  })
  return problems
}
