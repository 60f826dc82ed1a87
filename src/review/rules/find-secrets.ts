import { rules as scanners } from '@secretlint/secretlint-rule-preset-recommend'
import { findingId } from '../finding-id.ts'
import type { Finding } from '../review.ts'
import type { FileToAnalyse } from './file.ts'
import { textLines, touchedWithin, unindented } from './text-lines.ts'

type Scanner = (typeof scanners)[number]
type Context = Parameters<Scanner['create']>[0]
type Source = Parameters<NonNullable<ReturnType<Scanner['create']>['file']>>[0]

interface Leak {
  kind: string
  start: number
  end: number
}

const WHAT: Record<string, string> = {
  aws: 'An AWS credential is committed here.',
  basicauth: 'A URL with a password in it is committed here.',
  'database-connection-string': 'A database password is committed here.',
  gcp: 'The private key of a Google Cloud service account is committed here.',
  privatekey: 'A private key is committed here.',
}

/** Finds no secrets, but the directives that switch the others off. */
const DIRECTIVES = '@secretlint/secretlint-rule-filter-comments'

/**
 * Credentials on lines that the change touched, at most one finding a line. No field of a finding contains
 * any part of the credential: findings are stored, logged and posted.
 *
 * Directives in the file that switch secretlint off are not obeyed: the file is what is under review.
 */
export async function findSecrets(file: FileToAnalyse): Promise<Finding[]> {
  if (file.touched.size === 0) return []
  const lines = textLines(file.text)
  const findings: Finding[] = []
  const seen = new Set<number>()
  const occurrences = new Map<string, number>()
  for (const leak of await scan(file.path, file.text)) {
    const line = lines.lineAt(leak.start)
    if (seen.has(line)) continue
    seen.add(line)
    const endLine = lines.lineAt(Math.max(leak.start, leak.end - 1))
    const rule = `secret/${leak.kind}`
    const code = unindented(lines.slice(line, endLine))
    const before = occurrences.get(rule + code) ?? 0
    occurrences.set(rule + code, before + 1)
    if (!touchedWithin(file.touched, line, endLine)) continue
    findings.push({
      id: findingId(rule, file.path, code, before),
      source: 'secret',
      rule,
      path: file.path,
      line,
      endLine,
      severity: 'critical',
      what: WHAT[leak.kind] ?? `A credential (${leak.kind}) is committed here.`,
      why: 'Everyone who can read the repository, its forks or a backup of it can use the credential, and deleting the line does not remove it from the history.',
      advice: 'Revoke it now and make a new one; read it at run time from the environment or a secret store.',
    })
  }
  return findings.sort((a, b) => a.line - b.line)
}

/**
 * Runs the scanners of secretlint's preset themselves: `lintSource` of `@secretlint/core` keeps performance
 * marks of every file for the life of the process and searches all of them for each new one.
 */
async function scan(path: string, text: string): Promise<Leak[]> {
  const leaks: Leak[] = []
  const source = sourceOf(path, text)
  for (const scanner of scanners) {
    if (scanner.meta.id === DIRECTIVES) continue
    const kind = scanner.meta.id.replace(/^.*secretlint-rule-/, '')
    const context: Context = {
      sharedOptions: {},
      createTranslator: () => (messageId) => ({ message: '', messageId: String(messageId), data: undefined }),
      report({ range: [start, end] }) {
        // The whole of a service account's JSON file is reported, where its key is meant.
        const at = kind === 'gcp' ? text.indexOf('"private_key"') : start
        leaks.push({ kind, start: at, end: kind === 'gcp' ? at : end })
      },
      ignore() {},
    }
    await scanner.create(context, {}).file?.(source)
  }
  return leaks
}

function sourceOf(path: string, text: string): Source {
  const extension = /\.[^./]*$/.exec(path)?.[0] ?? ''
  const unused = (): never => {
    throw new Error('no scanner of the preset asks for positions')
  }
  return {
    hasBOM: false,
    content: text,
    filePath: path,
    physicalFilePath: undefined,
    contentType: 'text',
    // For .p12 a scanner opens the path on this machine's disk; such a file is binary and never comes here.
    ext: extension === '.p12' ? '' : extension,
    getFilePath: () => path,
    getPhysicalFilePath: () => undefined,
    locationToRange: unused,
    rangeToLocation: unused,
    positionToIndex: unused,
    indexToPosition: unused,
  }
}
