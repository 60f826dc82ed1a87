import type { SgNode } from '@ast-grep/napi'
import { HAS_EFFECT } from '../effects.ts'
import { descend, type Rule, SCRIPT_LANGUAGES } from '../rule.ts'

/** The name of the function or method that the statement calls, awaited or not. */
function calledName(statement: SgNode): string | undefined {
  const expression = statement.is('expression_statement') ? statement.child(0) : null
  const call = expression?.is('await_expression') ? expression.child(1) : expression
  const called = call?.is('call_expression') ? call.field('function') : null
  const name = called?.is('member_expression') ? called.field('property') : called
  return name?.is('identifier') || name?.is('property_identifier') ? name.text() : undefined
}

/** Whether something is changed there, and nothing else. What gets a value has a fallback for it besides. */
function isWork(body: SgNode): boolean {
  const names = body
    .children()
    .filter((child) => child.isNamed())
    .map(calledName)
  return names.every((name) => name !== undefined) && names.some((name) => name && HAS_EFFECT.test(name))
}

export const emptyCatch: Rule = {
  id: 'typescript/empty-catch',
  languages: SCRIPT_LANGUAGES,
  severity: 'medium',
  what: 'The error is caught, named, and dropped.',
  why: 'What fails here fails silently: no log line, no metric, and the code after it works on as if it had succeeded.',
  advice:
    'Handle it, log it, or let it pass. If it really does not matter, write `catch {` with a comment that says why.',
  match: {
    rule: {
      kind: 'try_statement',
      has: {
        field: 'handler',
        all: [
          { has: { field: 'parameter', kind: 'identifier', not: { regex: '^(_|ign|unused)' } } },
          { has: { field: 'body', pattern: '{}', not: { has: { kind: 'comment' } } } },
        ],
      },
    },
  },
  at: (match) => (descend(match, 'body').some(isWork) ? descend(match, 'handler') : []),
  examples: {
    bad: ['try {\n  await save(order)\n} catch (error) {}\n', 'try { orders.save() } catch (e) {\n}\n'],
    good: [
      'try { save() } catch (error) { log.warn(error) }\n',
      'try { save() } catch (error) {\n  // Written again at the next start.\n}\n',
      'try { save() } catch {}\n',
      'try { save() } catch (_error) {}\n',
      'try { socket.close() } catch (error) {}\n',
      'try { socket.ping() } catch (error) {}\n',
      'let settings = {}\ntry { settings = JSON.parse(text) } catch (error) {}\n',
      'function load() { try { return read() } catch (error) {} return undefined }\n',
    ],
  },
}
