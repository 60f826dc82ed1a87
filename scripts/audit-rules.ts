// Runs all rules over code that many people wrote, and compares what they find with what somebody thinks of it.
// Fails where a finding was not judged yet, or fewer than nine in ten are right. docs: audit/README.md
import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { RULES } from '../src/review/rules/index.ts'
import type { Analysed } from './audit/analyse.ts'
import { PAIRS, TREES } from './audit/trees.ts'
import { readVerdicts } from './audit/verdicts.ts'

const SIGNED_AT_LEAST = 0.9
const VERDICTS = 'audit/verdicts.jsonl'
const ANALYSE = new URL('./audit/analyse.ts', import.meta.url).pathname

const run = promisify(execFile)

/** What is read, and the arguments under which `analyse.ts` knows it. */
const sources: { name: string; prefix: string; args: string[] }[] = [
  { name: 'this repository', prefix: '', args: ['repository'] },
  ...PAIRS.map((name) => ({ name: `npm ${name}, the change`, prefix: `npm/${name}/`, args: ['pair', name] })),
  ...TREES.map(({ registry, name, version }) => ({
    name: `${registry} ${name} ${version}`,
    prefix: `${registry}/${name}/`,
    args: ['tree', registry, name],
  })),
]

interface Result {
  source: (typeof sources)[number]
  analysed?: Analysed
  why?: string
}
const verdicts = readVerdicts(VERDICTS)
const isSigned = ({ id }: { id: string }): boolean => verdicts.get(id)?.verdict === true
const results: Result[] = []
const waiting = [...sources]
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let source = waiting.shift(); source; source = waiting.shift()) {
      const result = { source, ...(await analysed(source.args)) }
      results.push(result)
      report(result)
    }
  }),
)

function report({ source, analysed, why }: Result): void {
  if (!analysed) {
    console.log(`NOT RUN  ${source.name}: ${why}`)
    return
  }
  const { files, lines, findings, leftOut } = analysed
  const signed = findings.filter(isSigned).length
  console.log(`${source.name}: ${files} files, ${lines} lines, ${findings.length} findings, ${signed} signed`)
  for (const file of leftOut) console.log(`  left out: ${file}`)
}

async function analysed(args: readonly string[]): Promise<{ analysed?: Analysed; why?: string }> {
  try {
    const { stdout } = await run(process.execPath, [ANALYSE, ...args], { maxBuffer: 64 * 1024 * 1024 })
    return { analysed: JSON.parse(stdout) }
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string }
    return { why: /^\w*Error: .*$/m.exec(stderr ?? '')?.[0] ?? message }
  }
}

const findings = results.flatMap((result) => result.analysed?.findings ?? [])
const signed = findings.filter(isSigned)
const unjudged = findings.filter((finding) => !verdicts.has(finding.id))
const notRun = results.filter((result) => result.analysed === undefined)

console.log('\nrule: findings, signed')
for (const { id } of RULES) {
  const ofRule = findings.filter((finding) => finding.rule === id)
  if (ofRule.length > 0) console.log(`${id}: ${ofRule.length}, ${ofRule.filter(isSigned).length}`)
}

for (const finding of findings) {
  const verdict = verdicts.get(finding.id)
  if (verdict?.verdict === false)
    console.log(`unsigned  ${finding.rule} ${finding.path}:${finding.line} ${verdict.reason}`)
}

const found = new Set(findings.map((finding) => finding.id))
const ran = (path: string): boolean => {
  // The longest prefix is the source's: this repository's own files have none.
  const own = sources
    .filter(({ prefix }) => path.startsWith(prefix))
    .sort((a, b) => b.prefix.length - a.prefix.length)[0]
  return !notRun.some(({ source }) => source === own)
}
const stale = [...verdicts.values()].filter(({ id, path }) => !found.has(id) && ran(path))
for (const { id, rule, path } of stale) console.log(`stale verdict  ${id} ${rule} ${path}`)

if (unjudged.length > 0) {
  console.log(`\n${unjudged.length} findings without a verdict in ${VERDICTS}:`)
  for (const { id, rule, path, line, code } of unjudged) {
    console.log(`${path}:${line}`)
    console.log(JSON.stringify({ id, rule, path, code, verdict: null, reason: '' }))
  }
}

const sum = (of: (found: Analysed) => number): number =>
  results.reduce((total, result) => total + (result.analysed ? of(result.analysed) : 0), 0)
console.log(
  `\n${RULES.length} rules over ${sum(({ files }) => files)} files, ${sum(({ lines }) => lines)} lines of ` +
    `${results.length - notRun.length} sources; ${notRun.length} not run, ${unjudged.length} findings not judged, ` +
    `${stale.length} stale verdicts`,
)
console.log(JSON.stringify({ findings: findings.length, signed: signed.length }))
if (unjudged.length > 0 || signed.length < SIGNED_AT_LEAST * findings.length) process.exitCode = 1
