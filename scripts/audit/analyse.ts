// A process of its own for one source, so that all cores are used: parsing and matching keep one busy.
import { existsSync } from 'node:fs'
import type { FileToAnalyse } from '../../src/review/rules/file.ts'
import { reasonNotToAnalyse, runRules } from '../../src/review/rules/run-rules.ts'
import { obtain } from './obtain.ts'
import { changedFiles, filesBelow, trackedFiles, wholeFile } from './sources.ts'
import { TREES } from './trees.ts'

/** What one source brought. */
export interface Analysed {
  files: number
  /** Those that count as touched. */
  lines: number
  /** Files that the rules leave alone, and why. */
  leftOut: string[]
  findings: { id: string; rule: string; path: string; line: number; code: string }[]
}

/** The command's argument: `repository`, `pair NAME` or `tree REGISTRY NAME`. */
async function filesOf(kind: string, ...names: string[]): Promise<FileToAnalyse[]> {
  if (kind === 'repository') return trackedFiles()
  if (kind === 'pair') {
    const [before, after] = ['a', 'b'].map((side) => `node_modules/audit-${names[0]}-${side}`) as [
      string,
      string,
    ]
    if (!existsSync(before) || !existsSync(after)) throw new Error('not installed: npm ci')
    return changedFiles(before, after, `npm/${names[0]}/`)
  }
  const tree = TREES.find(({ registry, name }) => registry === names[0] && name === names[1])
  if (!tree) throw new Error('no such tree')
  const directory = await obtain(tree)
  return filesBelow(directory).map((path) => wholeFile(directory, path, `${tree.registry}/${tree.name}/`))
}

async function analyse(files: readonly FileToAnalyse[]): Promise<Analysed> {
  const analysed: Analysed = { files: files.length, lines: 0, leftOut: [], findings: [] }
  for (const file of files) {
    analysed.lines += file.touched.size
    const reason = reasonNotToAnalyse(file)
    if (reason) analysed.leftOut.push(`${file.path}: ${reason}`)
    const lines = file.text.split('\n')
    for (const { id, rule, path, line } of await runRules(file)) {
      analysed.findings.push({ id, rule, path, line, code: (lines[line - 1] ?? '').trim().slice(0, 100) })
    }
  }
  return analysed
}

const [kind = '', ...names] = process.argv.slice(2)
process.stdout.write(JSON.stringify(await analyse(await filesOf(kind, ...names))))
