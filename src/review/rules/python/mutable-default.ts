import type { SgNode } from '@ast-grep/napi'
import { descend, type Rule } from '../rule.ts'

/** Of a longer function it cannot be told what becomes of its arguments. */
const MAX_BODY = 8192

const EMPTY = /^(\[\]|\{\}|(list|dict|set)\(\))$/

/** A default called `_cache` is shared on purpose. */
const SHARED_ON_PURPOSE = /^_|cache|memo/i

function bodyOf(definition: SgNode): string {
  const body = definition.field('body')
  if (!body) return ''
  const { start, end } = body.range()
  return end.index - start.index > MAX_BODY ? '' : body.text()
}

/** Whether something is put into the object of this name, or it is kept for somebody who may. */
function changes(name: string, body: string): boolean {
  // It has been replaced by one of the call's own then. Handing it on by its name (`f(name=name)`) does not.
  const replaced = `(^|[^\\w.])${name}\\s*(:[^=\\n]*)?=(?!=|\\s*${name}\\s*[,)])`
  if (new RegExp(replaced).test(body)) return false
  const methods = 'append|extend|insert|add|update|setdefault|pop|popitem|remove|discard|clear|sort|reverse'
  return [
    `(?<![.\\w])${name}\\.(${methods})\\(`,
    `(?<![.\\w])${name}\\[[^\\]]*\\]\\s*[-+*/|&]?=[^=]`,
    `(?<![.\\w])${name}\\s*[-+|&]=`,
    `\\bself\\.\\w+\\s*=\\s*${name}\\s*(#.*)?(\\n|$)`,
    `\\breturn ${name}\\s*(\\n|$)`,
  ].some((use) => new RegExp(use).test(body))
}

/** The parameters of the definition whose default is changed or kept. */
function shared(definition: SgNode): SgNode[] {
  const parameters = descend(definition, 'parameters').flatMap((list) => list.children())
  const withDefault = parameters.filter((parameter) => {
    if (!parameter.is('default_parameter') && !parameter.is('typed_default_parameter')) return false
    const value = parameter.field('value')
    return (
      value !== null && value.range().end.index - value.range().start.index <= 6 && EMPTY.test(value.text())
    )
  })
  if (withDefault.length === 0) return []
  const body = bodyOf(definition)
  return withDefault.filter((parameter) => {
    const name = parameter.field('name')?.text() ?? ''
    return /^\w+$/.test(name) && !SHARED_ON_PURPOSE.test(name) && changes(name, body)
  })
}

export const mutableDefault: Rule = {
  id: 'python/mutable-default',
  languages: ['python'],
  severity: 'medium',
  what: 'The default is one object, made once, that all calls share.',
  why: 'What one call puts into it the next call finds there: data of one request shows up in another.',
  advice: 'Default to None and make the object in the body: `items = [] if items is None else items`.',
  match: { rule: { kind: 'function_definition' } },
  at: shared,
  examples: {
    bad: [
      'def add(item, items=[]):\n    items.append(item)\n    return items\n',
      'def send(body, headers={}):\n    headers["Id"] = body["id"]\n    return post(body, headers=headers)\n',
      'class Client:\n    def __init__(self, host: str, options: dict[str, str] = {}) -> None:\n        self.options = options\n',
    ],
    good: [
      'def add(item, items=None):\n    items = [] if items is None else items\n    items.append(item)\n',
      'def add(item, items=()):\n    return [*items, item]\n',
      'def connect(host, options={}):\n    return open(host, **options)\n',
      'def prepare(self, globals={}):\n    self.env.globals.update(globals)\n',
      'def fibonacci(n, _cache={}):\n    return _cache.setdefault(n, n)\n',
    ],
  },
}
