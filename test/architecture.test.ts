import assert from 'node:assert/strict'
import { globSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { Lang, parse } from '@ast-grep/napi'

/** Import rules of ARCHITECTURE.md, read off the code's own imports: `import`, `export … from`, `import()`, types too. */
interface Import {
  from: string
  to: string
}

const sources = globSync('src/**/*.ts').map((file) => file.split(path.sep).join('/'))
const imports = sources.flatMap((from) => importsOf(from, readFileSync(from, 'utf8')))

function importsOf(from: string, text: string): Import[] {
  const root = parse(Lang.TypeScript, text).root()
  const statements = root.findAll({
    rule: { any: [{ kind: 'import_statement' }, { kind: 'export_statement' }, { pattern: 'import($A)' }] },
  })
  return statements
    .flatMap((statement) => {
      const source = statement.field('source') ?? statement.getMatch('A')
      return source ? [source.text().slice(1, -1)] : []
    })
    .map((specifier) => ({
      from,
      to: specifier.startsWith('.') ? path.posix.join(path.posix.dirname(from), specifier) : specifier,
    }))
}

const ROOMS = ['webhook-handler', 'api-rest', 'worker', 'cli']
/** The part of jobs/ that is pure and stands below the store. */
const PURE_JOBS = ['delivery-log', 'job', 'job-types', 'queue', 'review-request'].map(
  (name) => `src/jobs/${name}.ts`,
)

const LAYERS: { part: string; may: (to: string) => boolean }[] = [
  { part: 'src/lib/', may: (to) => to.startsWith('src/lib/') },
  ...PURE_JOBS.map((part) => ({
    part,
    may: (to: string) => to.startsWith('src/lib/') || PURE_JOBS.includes(to),
  })),
  { part: 'src/store/', may: (to) => within(to, 'lib', 'store') || PURE_JOBS.includes(to) },
  { part: 'src/jobs/', may: (to) => within(to, 'lib', 'store', 'jobs') },
  { part: 'src/models/', may: (to) => within(to, 'lib', 'models') },
  { part: 'src/forges/', may: (to) => within(to, 'lib', 'forges') || PURE_JOBS.includes(to) },
  {
    part: 'src/review/',
    may: (to) => within(to, 'lib', 'review', 'models', 'forges') || PURE_JOBS.includes(to),
  },
  {
    part: 'src/webhook-handler/',
    may: (to) =>
      within(to, 'lib', 'jobs', 'store', 'webhook-handler') ||
      to === 'src/components.ts' ||
      /^src\/forges\/(webhooks|webhook-source|[^/]+\/(webhook|allowlist))\.ts$/.test(to),
  },
  ...ROOMS.filter((room) => room !== 'webhook-handler').map((room) => ({
    part: `src/${room}/`,
    may: (to: string) =>
      within(to, 'lib', 'jobs', 'store', 'models', 'forges', 'review', room) ||
      ['src/config.ts', 'src/components.ts', 'src/ecs-capacity.ts', 'src/ecs-names.ts'].includes(to),
  })),
]

function within(to: string, ...parts: string[]): boolean {
  return parts.some((part) => to.startsWith(`src/${part}/`))
}

function brokenRules(edges: Import[]): string[] {
  return edges
    .filter(({ to }) => to.startsWith('src/'))
    .filter(({ from, to }) => {
      const layer = LAYERS.find(({ part }) => from.startsWith(part))
      return layer && !layer.may(to)
    })
    .map(({ from, to }) => `${from} → ${to}`)
}

describe('the folder tree is the architecture', () => {
  test('imports follow the layers, and rooms never import each other', () => {
    assert.deepEqual(brokenRules(imports), [])
  })

  test('a forge never imports another forge', () => {
    const forgeOf = (file: string) => /^src\/forges\/([^/]+)\//.exec(file)?.[1]
    const crossing = imports.filter(
      ({ from, to }) => forgeOf(from) && forgeOf(to) && forgeOf(from) !== forgeOf(to),
    )
    assert.deepEqual(crossing, [])
  })

  test('a planted violation is found', () => {
    assert.deepEqual(brokenRules([{ from: 'src/lib/log.ts', to: 'src/store/database.ts' }]), [
      'src/lib/log.ts → src/store/database.ts',
    ])
    assert.deepEqual(brokenRules([{ from: 'src/worker/main.ts', to: 'src/cli/main.ts' }]).length, 1)
    assert.deepEqual(
      importsOf('src/a/b.ts', `export * from '../c.ts'\nconst x = import('./d.ts')`).map(({ to }) => to),
      ['src/c.ts', 'src/a/d.ts'],
    )
  })

  test('no file imports itself by way of others', () => {
    assert.deepEqual(cyclesIn(imports), [])
    assert.equal(
      cyclesIn([
        { from: 'a', to: 'b' },
        { from: 'b', to: 'a' },
      ]).length,
      1,
    )
  })

  test('the webhook handler reaches no AST, no model SDK, no forge client and no API framework', () => {
    const reached = reachableFrom('src/webhook-handler/main.ts')
    const heavy = [...reached].filter((to) =>
      /ast-grep|secretlint|openai|octokit|fastify|commander|^yaml$/.test(to),
    )
    assert.deepEqual(heavy, [])
    assert.ok(reached.has('src/store/record-deliveries.ts'), 'the walk reaches what it should')
  })

  test('only config.ts files read the environment', () => {
    const readers = sources.filter((file) =>
      parse(Lang.TypeScript, readFileSync(file, 'utf8')).root().find('process.env'),
    )
    assert.deepEqual(
      readers.filter((file) => !file.endsWith('config.ts')),
      [],
    )
  })

  test('file and folder names are kebab-case, and no folder is a grab-bag', () => {
    const names = globSync('{src,test,bench,chaos,scripts,docs}/**/*', {
      exclude: (name) => path.basename(name) === 'node_modules',
    }).filter((name) => path.basename(name) !== 'node_modules')
    const odd = names.filter(
      (name) => !/^[a-z0-9.-]+$/.test(path.basename(name)) && path.basename(name) !== 'README.md',
    )
    assert.deepEqual(odd, [])
    assert.deepEqual(
      names.filter(
        (name) =>
          statSync(name).isDirectory() && /^(utils?|helpers?|common|shared|misc)$/.test(path.basename(name)),
      ),
      [],
    )
  })

  test('every forge folder is in the map of webhook sources', async () => {
    const { WEBHOOK_SOURCES } = await import('../src/forges/webhooks.ts')
    const folders = readdirSync('src/forges', { withFileTypes: true }).filter((entry) => entry.isDirectory())
    assert.deepEqual(Object.keys(WEBHOOK_SOURCES).sort(), folders.map((entry) => entry.name).sort())
  })
})

function cyclesIn(edges: Import[]): string[][] {
  const next = new Map<string, string[]>()
  for (const { from, to } of edges) next.set(from, [...(next.get(from) ?? []), to])
  const done = new Set<string>()
  const cycles: string[][] = []
  const walk = (file: string, trail: string[]) => {
    const at = trail.indexOf(file)
    if (at >= 0) cycles.push(trail.slice(at))
    if (at >= 0 || done.has(file)) return
    for (const to of next.get(file) ?? []) walk(to, [...trail, file])
    done.add(file)
  }
  for (const file of next.keys()) walk(file, [])
  return cycles
}

/** Everything a file imports, directly or not; type-only imports do not load anything. */
function reachableFrom(entry: string): Set<string> {
  const seen = new Set<string>()
  const open = [entry]
  for (let file = open.pop(); file; file = open.pop()) {
    if (seen.has(file)) continue
    seen.add(file)
    for (const edge of imports) if (edge.from === file) open.push(edge.to)
  }
  return seen
}
