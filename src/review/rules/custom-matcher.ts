/**
 * A program of its own: parses files and matches rules that a repository brings, in a process that can be
 * killed. `custom-matcher-process.ts` starts it and speaks with it, one question and one answer at a time.
 */
import type { SgNode } from '@ast-grep/napi'
import { parseAs } from './languages.ts'
import type { Language } from './rule.ts'

export type Question =
  | { ask: 'open'; language: Language; text: string }
  /** Answered for the file that was opened last. */
  | { ask: 'match'; rule: Record<string, unknown> }

/** Lines of each match, 1-based and both included; or why the rule cannot be used. */
export type Answer = { matches: [number, number][] } | { error: string }

/** More places are no finding any more: only the first of them are looked at for touched lines. */
const MAX_MATCHES = 20_000

/** A rule that matches more of a file in one piece says nothing about any line of it. */
const MAX_LINES = 10

serve()

function serve(): void {
  let root: SgNode | undefined
  const answer = (question: Question): Answer => {
    try {
      if (question.ask === 'open') {
        root = parseAs(question.language, question.text)
        return { matches: [] }
      }
      const found = root?.findAll({ rule: question.rule }) ?? []
      return { matches: found.slice(0, MAX_MATCHES).map(linesOf) }
    } catch (error) {
      return { error: error instanceof Error ? error.message : String(error) }
    }
  }
  process.on('message', (question: Question) => process.send?.(answer(question)))
  process.on('disconnect', () => process.exit())
}

function linesOf(node: SgNode): [number, number] {
  const { start, end } = node.range()
  const line = start.line + 1
  const endLine = end.column === 0 ? Math.max(end.line, line) : end.line + 1
  return [line, endLine - line < MAX_LINES ? endLine : line]
}
