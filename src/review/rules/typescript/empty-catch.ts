import { type Rule, SCRIPT_LANGUAGES } from '../rule.ts'

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
      kind: 'catch_clause',
      all: [
        { has: { field: 'parameter', kind: 'identifier', not: { regex: '^(_|ignore)' } } },
        { has: { field: 'body', pattern: '{}', not: { has: { kind: 'comment' } } } },
      ],
    },
  },
  examples: {
    bad: ['try {\n  await save(order)\n} catch (error) {}\n', 'try { save() } catch (e) {\n}\n'],
    good: [
      'try { save() } catch (error) { log.warn(error) }\n',
      'try { unlink(path) } catch (error) {\n  // Gone already: somebody else cleaned up.\n}\n',
      'try { unlink(path) } catch {}\n',
      'try { unlink(path) } catch (_error) {}\n',
    ],
  },
}
