import { calledName, callOf, statementsOfBlock } from '../go-shapes.ts'
import { descend, type Rule } from '../rule.ts'

export const waitgroupAddInGoroutine: Rule = {
  id: 'go/waitgroup-add-in-goroutine',
  languages: ['go'],
  severity: 'high',
  what: 'The goroutine counts itself in only once it runs.',
  why: 'Wait can be reached before that, sees a count of zero and returns: the work is still going on when the code after Wait uses its results.',
  advice: 'Call Add before the `go` statement, or use `wg.Go(…)` (Go 1.25).',
  match: {
    rule: {
      kind: 'go_statement',
      has: { kind: 'call_expression', has: { field: 'function', kind: 'func_literal' } },
    },
  },
  at: (match) => {
    const call = match.children().find((child) => child.is('call_expression'))
    const [first] = call ? descend(call, 'function', 'body').flatMap(statementsOfBlock) : []
    return first && /(wg|group|wait)\.Add$/i.test(calledName(callOf(first))) ? [first] : []
  },
  examples: {
    bad: [
      'package a\n\nfunc all() {\n\tvar wg sync.WaitGroup\n\tfor _, job := range jobs {\n\t\tgo func() {\n\t\t\twg.Add(1)\n\t\t\tdefer wg.Done()\n\t\t\trun(job)\n\t\t}()\n\t}\n\twg.Wait()\n}\n',
    ],
    good: [
      'package a\n\nfunc all() {\n\tfor _, job := range jobs {\n\t\twg.Add(1)\n\t\tgo func() {\n\t\t\tdefer wg.Done()\n\t\t\trun(job)\n\t\t}()\n\t}\n\twg.Wait()\n}\n',
      'package a\n\nfunc walk() {\n\tgo func() {\n\t\tdefer wg.Done()\n\t\tfor next := range found {\n\t\t\twg.Add(1)\n\t\t\tqueue <- next\n\t\t}\n\t}()\n}\n',
    ],
  },
}
