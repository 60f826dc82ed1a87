import { KodusError, messageOf } from '../../lib/errors.ts'
import type { Check } from './check.ts'

/** The parser is a native library: present only if npm installed the one for this platform. */
export const checkNativeParts: Check = async () => {
  try {
    const { runRules } = await import('../../review/rules/run-rules.ts')
    for (const path of ['sample.ts', 'sample.py', 'sample.go', 'Sample.java'])
      await runRules({ path, text: 'x = 1\n', touched: new Set([1]) })
  } catch (cause) {
    throw new KodusError('PARSER_MISSING', `The code parser does not load: ${messageOf(cause)}`, {
      help: 'Install again on this machine (`npm ci`), without --omit=optional and without copying node_modules.',
      cause,
    })
  }
  return { state: 'ok', says: 'parsers for TypeScript, JavaScript, Python, Go and Java' }
}
