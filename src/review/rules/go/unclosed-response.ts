import type { SgNode } from '@ast-grep/napi'
import { assigned, calledName, shortText, statementsOf } from '../go-shapes.ts'
import { descend, type Rule } from '../rule.ts'

/** Of a longer list of statements it cannot be told. */
const MAX_STATEMENTS = 16_384

const SENDS = /^http\.(Get|Head|Post|PostForm)$/
const DOES = /(^|\.)\w*[cC]lient\.Do$/

/** `client.Do(req)` of net/http has one argument; clients of other protocols have commands. */
function sends(call: SgNode): boolean {
  const name = calledName(call)
  const args = descend(call, 'arguments').flatMap(statementsOf)
  return SENDS.test(name) || (DOES.test(name) && args.length === 1)
}
/** Uses that neither close the body nor hand it to somebody who may. */
const READS = [
  String.raw`(\.(StatusCode|Status|Header|Proto|ContentLength|Request)\b|\s*[=!]=)`,
  String.raw`(?<=(ReadAll|NewDecoder|NewReader|NewScanner)\(%)\.Body\)`,
]

/** Whether the response is only looked at in the statements that follow. */
function leaks(name: string, following: string): boolean {
  if (!/^\w+$/.test(name)) return false
  if (name === '_') return true
  const harmless = new RegExp(READS.map((use) => `\\b${name}\\b${use.replace('%', name)}`).join('|'), 'g')
  return !new RegExp(`\\b${name}\\b`).test(following.replace(harmless, ''))
}

function unclosed(list: SgNode): SgNode[] {
  const declarations = statementsOf(list).filter((statement) => statement.is('short_var_declaration'))
  const sent = declarations.filter((declaration) => {
    const { names, values } = assigned(declaration) ?? { names: [], values: [] }
    return names.length === 2 && values.length === 1 && values[0]?.is('call_expression') && sends(values[0])
  })
  if (sent.length === 0) return []
  const text = shortText(list, MAX_STATEMENTS)
  const offset = list.range().start.index
  return sent.filter((declaration) => {
    const name = assigned(declaration)?.names[0] ?? ''
    return text !== '' && leaks(name, text.slice(declaration.range().end.index - offset))
  })
}

export const unclosedResponse: Rule = {
  id: 'go/unclosed-response',
  languages: ['go'],
  severity: 'high',
  what: 'The body of this response is never closed.',
  why: 'Its connection can be neither used again nor given back: under load the process runs out of file descriptors.',
  advice: 'After the error check: `defer resp.Body.Close()`.',
  match: { rule: { kind: 'statement_list' } },
  fileHas: { rule: { kind: 'interpreted_string_literal', regex: '^"net/http"$' } },
  at: unclosed,
  notInTests: true,
  examples: {
    bad: [
      'package a\n\nimport "net/http"\n\nfunc up(url string) bool {\n\tresp, err := http.Get(url)\n\treturn err == nil && resp.StatusCode == 200\n}\n',
      'package a\n\nimport "net/http"\n\nfunc ping(url string) error {\n\t_, err := http.Post(url, "text/plain", nil)\n\treturn err\n}\n',
      'package a\n\nimport (\n\t"io"\n\t"net/http"\n)\n\nfunc read(client *http.Client, req *http.Request) ([]byte, error) {\n\tresp, err := client.Do(req)\n\tif err != nil {\n\t\treturn nil, err\n\t}\n\treturn io.ReadAll(resp.Body)\n}\n',
    ],
    good: [
      'package a\n\nimport "net/http"\n\nfunc up(url string) bool {\n\tresp, err := http.Get(url)\n\tif err != nil {\n\t\treturn false\n\t}\n\tdefer resp.Body.Close()\n\treturn resp.StatusCode == 200\n}\n',
      'package a\n\nimport "net/http"\n\nfunc fetch(url string) (*http.Response, error) {\n\tresp, err := http.Get(url)\n\treturn resp, err\n}\n',
      'package a\n\nimport "net/http"\n\nfunc read(url string) error {\n\tresp, err := http.Get(url)\n\tif err != nil {\n\t\treturn err\n\t}\n\treturn consume(resp.Body)\n}\n',
      'package a\n\nimport "net/http"\n\nfunc redo() error {\n\t_, err := p.client.Do("set", key)\n\treturn err\n}\n',
    ],
  },
}
