import type { SgNode } from '@ast-grep/napi'
import { calledName, callOf, shortText, statementsIn, statementsOf } from '../go-shapes.ts'
import type { Rule } from '../rule.ts'

/** Of a longer loop it cannot be told whether it keeps what it opens. */
const MAX_LOOP = 16_384

function releases(statement: SgNode): boolean {
  return statement.is('defer_statement') && /\.Close$/.test(calledName(callOf(statement)))
}

/** Whether the statements go on to the next round, as opposed to leaving the loop. */
function goesOn(list: SgNode): boolean {
  const last = statementsOf(list).at(-1)
  return last !== undefined && !/^(return|break|goto)_statement$/.test(String(last.kind()))
}

/** Whether what is closed goes into a list, for use after the loop. */
function isKept(statement: SgNode, loop: SgNode): boolean {
  const name = calledName(callOf(statement)).replace(/\.Close$/, '')
  return (
    /^\w+$/.test(name) && new RegExp(`\\bappend\\([^\\n]*,\\s*${name}\\b`).test(shortText(loop, MAX_LOOP))
  )
}

function listsIn(loop: SgNode): SgNode[] {
  return [loop, ...statementsIn(loop, 'for_statement')]
    .filter((statement) => statement === loop || !statement.is('for_statement'))
    .flatMap((statement) => statement.children())
    .flatMap((part) => (part.is('block') ? part.children() : [part]))
    .filter((part) => part.is('statement_list'))
}

export const deferInLoop: Rule = {
  id: 'go/defer-in-loop',
  languages: ['go'],
  severity: 'high',
  what: 'A deferred call in a loop runs when the function returns, not at the end of the round.',
  why: 'Everything that the loop opens stays open until then: it runs out of file descriptors or connections.',
  advice: 'Move the body of the loop into a function of its own, or release at the end of each round.',
  match: { rule: { kind: 'for_statement' } },
  at: (match) => {
    const deferred = listsIn(match).filter(goesOn).flatMap(statementsOf).filter(releases)
    return deferred.filter((statement) => !isKept(statement, match))
  },
  notInTests: true,
  examples: {
    bad: [
      'package a\n\nfunc load(paths []string) error {\n\tfor _, path := range paths {\n\t\tfile, err := os.Open(path)\n\t\tif err != nil {\n\t\t\treturn err\n\t\t}\n\t\tdefer file.Close()\n\t\tread(file)\n\t}\n\treturn nil\n}\n',
      'package a\n\nfunc poll() {\n\tfor {\n\t\tif ready() {\n\t\t\tconn := dial()\n\t\t\tdefer conn.Close()\n\t\t\tstep(conn)\n\t\t}\n\t}\n}\n',
    ],
    good: [
      'package a\n\nfunc load(paths []string) {\n\tfor _, path := range paths {\n\t\tfunc() {\n\t\t\tfile, _ := os.Open(path)\n\t\t\tdefer file.Close()\n\t\t\tread(file)\n\t\t}()\n\t}\n}\n',
      'package a\n\nfunc first(paths []string) error {\n\tfor _, path := range paths {\n\t\tif exists(path) {\n\t\t\tfile, _ := os.Open(path)\n\t\t\tdefer file.Close()\n\t\t\treturn read(file)\n\t\t}\n\t}\n\treturn nil\n}\n',
      'package a\n\nfunc all(dirs []string) error {\n\tvar blocks []*Block\n\tfor _, dir := range dirs {\n\t\tblock := open(dir)\n\t\tdefer block.Close()\n\t\tblocks = append(blocks, block)\n\t}\n\treturn merge(blocks)\n}\n',
      'package a\n\nfunc work() {\n\tfor job := range jobs {\n\t\tdefer job.Done()\n\t}\n}\n',
    ],
  },
}
