import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { COMPONENTS, type ComponentFacts, type ComponentType, CPU_UNITS_PER_VCPU } from '../src/components.ts'
import { run } from './support/kodus.ts'

/** What differs between the two pages' tables. */
interface Words {
  locale: string
  header: string
  noPort: string
  scaledOn: Record<ComponentType, string>
}

const PAGES: Record<string, Words> = {
  'docs/deploying.md': {
    locale: 'en-US',
    header:
      '| component | port | PM2: processes, restarted above | container | min / desired / max | scaled on | a stop may take |',
    noPort: 'none',
    scaledOn: {
      webhook: 'CPU 70 %, 10,000 requests a minute and task',
      api: 'CPU 70 %, 200 requests a minute and task',
      worker: '4 claimable jobs a task, +5 above 500; fewer only while idle',
    },
  },
  'docs/deploying.pt.md': {
    locale: 'pt-BR',
    header:
      '| componente | porta | PM2: processos, reinicia acima de | container | min / desired / max | escala por | o stop pode levar |',
    noPort: 'nenhuma',
    scaledOn: {
      webhook: 'CPU 70 %, 10.000 requests por minuto e task',
      api: 'CPU 70 %, 200 requests por minuto e task',
      worker: '4 jobs prontos por task, +5 acima de 500; menos só quando ociosos',
    },
  },
}

const text = (page: string) => readFileSync(page, 'utf8')

function table({ locale, header, noPort, scaledOn }: Words): string {
  const facts: [string, ComponentFacts][] = Object.entries(COMPONENTS)
  const lines = facts.map(([type, { name, http, pm2, task, tasks, stop }]) => {
    const cpu = (task.cpuUnits / CPU_UNITS_PER_VCPU).toLocaleString(locale)
    const cells = [
      name,
      http?.port ?? noPort,
      `${pm2.instances} × ${pm2.memoryMb} MB`,
      `${cpu} vCPU, ${task.memoryMb} MB`,
      `${tasks.min} / ${tasks.desired} / ${tasks.max}`,
      scaledOn[type as ComponentType],
      `${stop.grantedSeconds} s`,
    ]
    return `| ${cells.join(' | ')} |\n`
  })
  return [`${header}\n|---|---|---|---|---|---|---|\n`, ...lines].join('')
}

/** Every line of the page's blocks of code, without the comments, which are translated. */
function commands(page: string): string[] {
  const blocks = [...text(page).matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '')
  return blocks.flatMap((block) => block.split('\n').map((line) => line.replace(/\s+#.*/, '')))
}

for (const [page, words] of Object.entries(PAGES)) {
  test(`the components in ${page} are those of src/components.ts`, () => {
    const written = /<!-- components -->\n([\s\S]*?)<!-- \/components -->/.exec(text(page))?.[1] ?? ''
    const expected = table(words)
    assert.equal(written, expected, `Put this between the markers in ${page}:\n\n${expected}`)
  })

  test(`the sums in ${page} are those of its table`, () => {
    const facts: ComponentFacts[] = Object.values(COMPONENTS)
    const sum = (each: (of: ComponentFacts) => number) => facts.reduce((total, of) => total + each(of), 0)
    const number = (value: number) => value.toLocaleString(words.locale)
    const containers = (count: (of: ComponentFacts) => number) => {
      const cpu = sum((of) => count(of) * of.task.cpuUnits) / CPU_UNITS_PER_VCPU
      const memory = sum((of) => count(of) * of.task.memoryMb) / 1024
      return new RegExp(`\\b${number(cpu)} vCPU (and|e) ${number(memory)} GB`)
    }
    assert.match(
      text(page),
      containers(({ tasks }) => tasks.desired),
    )
    assert.match(
      text(page),
      containers(({ tasks }) => tasks.min),
    )
    assert.match(
      text(page),
      containers(() => 1),
    )
    const processes = sum(({ pm2 }) => pm2.instances * pm2.memoryMb) / 1000
    assert.match(text(page), new RegExp(`\\(${number(processes)} GB`))
  })

  test(`the costs in ${page} are those that \`kodus cost\` prints`, async () => {
    const { stdout } = await run(process.execPath, ['src/cli/main.ts', 'cost', '--markdown'])
    assert.ok(text(page).includes(`<!-- kodus cost -->\n${stdout}<!-- /kodus cost -->`), stdout)
  })

  test(`every npm command in ${page} is a script of package.json`, () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'))
    const named = [...text(page).matchAll(/npm (?:run (?:--silent )?([\w:-]+)|(start|test)\b)/g)].map(
      ([, script, short]) => script ?? short ?? '',
    )
    assert.ok(named.length > 20)
    assert.deepEqual(
      named.filter((script) => !Object.hasOwn(scripts, script)),
      [],
    )
  })

  test(`every page that ${page} links to is there, with the heading that it names`, () => {
    const links = [...text(page).matchAll(/\]\(([^)#]+)(?:#([^)]+))?\)/g)]
    assert.ok(links.length > 3)
    for (const [, file = '', heading] of links) {
      const linked = path.join('docs', file)
      assert.ok(existsSync(linked), linked)
      if (heading === undefined) continue
      const headings = [...text(linked).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replace(/[^\w\s-]/g, '')
          .replaceAll(' ', '-'),
      )
      assert.ok(headings.includes(heading), `${linked} has no heading ${heading}`)
    }
  })
}

test('both languages have the same commands in the same order', () => {
  const [english = '', portuguese = ''] = Object.keys(PAGES)
  assert.ok(commands(english).filter((line) => line.startsWith('npm ')).length > 20)
  assert.deepEqual(commands(portuguese), commands(english))
})

test('both languages name the same npm commands in their sentences', () => {
  const [english = [], portuguese] = Object.keys(PAGES).map((page) =>
    [...text(page).matchAll(/`([^`\n]*\bnpm [^`\n]+)`/g)].map(([, command]) => command),
  )
  assert.ok(english.length > 10)
  assert.deepEqual(portuguese, english)
})
