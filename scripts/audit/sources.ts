import { execFile } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { promisify } from 'node:util'
import type { FileToAnalyse } from '../../src/review/rules/file.ts'
import { analysedByRules } from '../../src/review/rules/run-rules.ts'

const run = promisify(execFile)
const MAX_OUTPUT = { maxBuffer: 256 * 1024 * 1024 }

/** What nobody wrote by hand, or somebody else did: built files, and copies of other projects. */
const NOT_WRITTEN =
  /\.min\.|(^|\/)(dist|bundles?|vendor|node_modules|[^/]+\.data)\/|\.pb\.go$|(^|\/)zz_generated/

/** In UTF-16 code units. Half of what somebody wrote is not in longer lines than this. */
const MAX_LINE = 250

/** Files that there are rules for, below a directory, as paths relative to it with `/`. */
export function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .map((path) => path.split(sep).join('/'))
    .filter((path) => analysedByRules(path) && !NOT_WRITTEN.test(path) && isWritten(join(directory, path)))
    .sort()
}

function isWritten(file: string): boolean {
  if (!lstatSync(file).isFile()) return false
  const text = readFileSync(file, 'utf8')
  const inLongLines = text
    .split('\n')
    .reduce((sum, line) => sum + (line.length > MAX_LINE ? line.length : 0), 0)
  return inLongLines <= text.length / 2
}

/** The file with every line touched. `prefix` tells apart files of different trees. */
export function wholeFile(directory: string, path: string, prefix = ''): FileToAnalyse {
  const text = readFileSync(join(directory, path), 'utf8')
  const lines = text.split('\n').length
  return {
    path: prefix + path,
    text,
    touched: new Set(Array.from({ length: lines }, (_, index) => index + 1)),
  }
}

/** All files that git tracks here and that there are rules for. */
export async function trackedFiles(): Promise<FileToAnalyse[]> {
  const { stdout } = await run(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    MAX_OUTPUT,
  )
  const paths = stdout.split('\0').filter((path) => analysedByRules(path) && existsSync(path))
  return paths.sort().map((path) => wholeFile('.', path))
}

/** Files of the later version, with the lines touched that the earlier one does not have. */
export async function changedFiles(before: string, after: string, prefix: string): Promise<FileToAnalyse[]> {
  const files: FileToAnalyse[] = []
  for (const path of filesBelow(after)) {
    const file = wholeFile(after, path, prefix)
    const earlier = join(before, path)
    files.push(
      existsSync(earlier) ? { ...file, touched: await addedLines(earlier, join(after, path)) } : file,
    )
  }
  return files.filter((file) => file.touched.size > 0)
}

/** The numbers of the lines that git says are new in the second file. */
async function addedLines(before: string, after: string): Promise<Set<number>> {
  // Its exit code says whether there is a difference.
  const diff = await run('git', ['diff', '--no-index', '--unified=0', before, after], MAX_OUTPUT).then(
    ({ stdout }) => stdout,
    (error: { code?: unknown; stdout?: string }) => {
      if (error.code !== 1) throw error
      return error.stdout ?? ''
    },
  )
  const added = new Set<number>()
  for (const [, start, count] of diff.matchAll(/^@@ -\S+ \+(\d+)(?:,(\d+))? @@/gm)) {
    for (let line = 0; line < Number(count ?? 1); line++) added.add(Number(start) + line)
  }
  return added
}
