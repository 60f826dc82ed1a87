import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, globSync, lstatSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { before, test } from 'node:test'
import { type BaseFacts, billOfMaterials } from '../../src/cli/images/bill-of-materials.ts'
import { platformOfThisMachine } from '../../src/cli/images/platform.ts'
import { stageImage } from '../../src/cli/images/stage-image.ts'
import { COMPONENTS, type ComponentType } from '../../src/components.ts'
import { kodus } from '../support/kodus.ts'
import { makeScratch, ROOT, stage } from './staging.ts'

interface Bill {
  bomFormat: string
  specVersion: string
  metadata: { component: { name: string } }
  components: {
    type: string
    'bom-ref': string
    name: string
    group?: string
    version: string
    purl: string
    licenses: unknown[]
    hashes?: { alg: string; content: string }[]
  }[]
}

const TYPES = Object.keys(COMPONENTS) as ComponentType[]
const scratch = makeScratch()
const staged = path.join(scratch, 'staged')
const appOf = (type: ComponentType, directory = staged) => path.join(directory, COMPONENTS[type].name, 'app')
const billOf = (type: ComponentType): Bill =>
  JSON.parse(readFileSync(path.join(appOf(type), 'bom.json'), 'utf8'))

before(() => stage(staged, TYPES))

test('two stagings of the same sources are the same, byte for byte, with modes and times', async () => {
  const again = path.join(scratch, 'again')
  const { code, stderr } = await kodus(['build', '--stage-only', again])
  assert.equal(code, 0, stderr)
  const lines = (directory: string) => treeOf(directory).map(({ file, is }) => `${is} ${file}`)
  const tree = lines(staged)
  assert.ok(tree.length > 50)
  const others = new Set(tree)
  assert.deepEqual(
    lines(again).filter((line) => !others.has(line)),
    [],
  )
  assert.equal(lines(again).length, tree.length)
  assert.deepEqual(
    tree.filter((line) => !/^(644|755) 315532800 /.test(line)),
    [],
  )
})

const NOT_IN: Record<ComponentType, RegExp> = {
  webhook: /ast-grep|openai|octokit|undici|fastify|secretlint|commander|yaml|swagger|pino-pretty/,
  api: /ast-grep|openai|octokit|undici|secretlint|commander|amqplib|pino-pretty/,
  worker: /fastify|swagger|commander|pino-pretty/,
}
const IN: Record<ComponentType, string> = {
  webhook: 'amqplib',
  api: '@fastify/swagger-ui',
  worker: '@ast-grep/napi',
}

for (const type of TYPES) {
  test(`the image of ${COMPONENTS[type].name} holds what it reaches and nothing of the others`, () => {
    const files = treeOf(appOf(type)).map(({ file }) => file)
    const libraries = billOf(type).components.map(({ group, name }) => (group ? `${group}/${name}` : name))
    assert.deepEqual(
      [...files, ...libraries].filter((name) => NOT_IN[type].test(name)),
      [],
    )
    assert.ok(libraries.includes(IN[type]), 'the list is of what is there')
    const code = globSync('*.js', { cwd: appOf(type) }).map((file) =>
      readFileSync(path.join(appOf(type), file), 'utf8'),
    )
    const paths = code.flatMap((text) => text.match(/^\/\/ (?:node_modules|src)\/.+$/gm) ?? [])
    assert.ok(paths.length > 50, 'the bundler says where its code is from')
    assert.deepEqual(
      paths.filter((from) => NOT_IN[type].test(from)),
      [],
    )
    const rooms = paths.map((from) => /^\/\/ src\/(webhook-handler|api-rest|worker|cli)\//.exec(from)?.[1])
    assert.deepEqual([...new Set(rooms.filter((room) => room !== undefined))], [COMPONENTS[type].name])
    assert.deepEqual(
      code.flatMap((text) => text.match(/@microsoft\/jest-sarif/g) ?? []),
      [],
      'nothing of package.json but the version',
    )
  })

  test(`the bill of materials of ${COMPONENTS[type].name} names each library, its version, licence and checksum`, () => {
    const bill = billOf(type)
    assert.equal(bill.bomFormat, 'CycloneDX')
    assert.equal(bill.specVersion, '1.6')
    assert.equal(bill.metadata.component.name, COMPONENTS[type].name)
    const notices = readFileSync(path.join(appOf(type), 'THIRD-PARTY.txt'), 'utf8')
    for (const { type: kind, group, name, version, purl, licenses, hashes } of bill.components) {
      const full = group ? `${group}/${name}` : name
      assert.equal(kind, 'library')
      assert.equal(purl, `pkg:npm/${full.replace('@', '%40')}@${version}`)
      assert.equal(licenses.length, 1, full)
      assert.ok(notices.includes(`\n${full} ${version} (`), full)
      // What one library has copied into itself is in no lock file.
      if (name !== 'swagger-ui-dist') assert.match(hashes?.[0]?.content ?? '', /^[0-9a-f]{128}$/, full)
    }
    const references = bill.components.map((component) => component['bom-ref'])
    assert.equal(new Set(references).size, references.length)
    assert.ok(references.length > 30)
  })
}

test('what the base image brings is listed too', () => {
  const base: BaseFacts = {
    node: '24.1.0',
    distribution: { id: 'debian', version: '12' },
    packages: [{ name: 'libstdc++6', version: '12.2.0-14+deb12u1', architecture: 'amd64' }],
  }
  const bill = billOfMaterials({ name: 'worker', version: '1.0.0', license: 'Apache-2.0' }, [], base) as Bill
  assert.deepEqual(
    bill.components.map(({ purl }) => purl),
    [
      'pkg:generic/node@24.1.0',
      'pkg:deb/debian/libstdc%2B%2B6@12.2.0-14%2Bdeb12u1?arch=amd64&distro=debian-12',
    ],
  )
})

test('for another platform than this machine, native packages come by the lock file', async () => {
  const elsewhere = path.join(scratch, 'elsewhere')
  const [platform, cpu, library] =
    platformOfThisMachine() === 'linux/amd64'
      ? (['linux/arm64', 'arm64', 'ARM64'] as const)
      : (['linux/amd64', 'x64', 'X64'] as const)
  await stage(elsewhere, ['worker'], platform)
  const native = treeOf(appOf('worker', elsewhere)).filter(({ file }) => /\.(node|so)$/.test(file))
  assert.deepEqual(
    native.map(({ file }) => file),
    [
      ...['go', 'java', 'python'].map(
        (name) => `node_modules/@ast-grep/lang-${name}/prebuilds/prebuild-Linux-${library}/parser.so`,
      ),
      `node_modules/@ast-grep/napi-linux-${cpu}-gnu/ast-grep-napi.linux-${cpu}-gnu.node`,
    ],
  )
  const machines = native.map(({ file }) => machineOf(path.join(appOf('worker', elsewhere), file)))
  assert.deepEqual([...new Set(machines)], [cpu])
})

test('a directory that holds something is not staged into', async () => {
  const target = path.join(staged, 'worker')
  const options = { root: ROOT, type: 'worker', platform: platformOfThisMachine(), scratch } as const
  await assert.rejects(stageImage({ ...options, directory: target }), { code: 'STAGE_NOT_EMPTY' })
  assert.ok(existsSync(path.join(target, 'app', 'main.js')))
})

/** Every file and folder below a directory: its mode, its time, what is in it. */
function treeOf(directory: string): { file: string; is: string }[] {
  return globSync('**', { cwd: directory })
    .filter((file) => file !== '.')
    .sort()
    .map((file) => {
      const absolute = path.join(directory, file)
      const stats = lstatSync(absolute)
      const content = stats.isFile() ? createHash('sha256').update(readFileSync(absolute)).digest('hex') : ''
      return { file, is: `${(stats.mode & 0o7777).toString(8)} ${stats.mtimeMs / 1000} ${content}` }
    })
}

/** For which processor an ELF file is: its header says it at byte 18. */
function machineOf(file: string): string | undefined {
  const machines: Record<number, string> = { 62: 'x64', 183: 'arm64' }
  return machines[readFileSync(file).readUInt16LE(18)]
}
