import type { ComponentType } from '../../../src/components.ts'

/** A component that is broken on purpose, and the figure that must then not be 0. */
export interface Sabotage {
  name: string
  /** What is taken away. */
  breaks: string
  shows: 'failed_requests' | 'interrupted_jobs' | 'lost'
  /** How the name of the test begins in which it shows. */
  test: string
  type: ComponentType
  settings?: Record<string, string>
  /** Lines of a Dockerfile, on top of the component's image. */
  lines?: readonly string[]
}

export const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'stop-at-once',
    breaks: 'the handler does not wait until its load balancer has noticed that it stops',
    shows: 'failed_requests',
    test: 'nor where nobody',
    type: 'webhook',
    settings: { WEBHOOK_DRAIN_SECONDS: '0' },
  },
  {
    name: 'drop-jobs',
    breaks: 'the worker ends on SIGTERM, and leaves its jobs as they are',
    shows: 'interrupted_jobs',
    test: 'a rolling update of the worker',
    type: 'worker',
    lines: [
      `CMD ["node", "--import", "data:text/javascript,process.on('SIGTERM',()=>process.exit(0))", "main.js"]`,
    ],
  },
  {
    name: 'answer-before-commit',
    breaks: 'the handler answers a second before the delivery is committed',
    shows: 'lost',
    test: 'a container that is killed',
    type: 'webhook',
    lines: edit(
      'await traced\\(\\{ name: "make durable" \\}, \\(\\) => (\\w+)\\(delivery\\)\\)',
      '(setTimeout(() => void $1(delivery), 1000), { by: "database", recorded: void 0 })',
    ),
  },
]

/** Changes the text of a component's bundle; where the pattern is not to be found, the image cannot be built. */
function edit(pattern: string, to: string): string[] {
  const script = [
    'const { readdirSync, readFileSync, writeFileSync } = require("fs")',
    'const [, pattern, to] = process.argv',
    'const all = readdirSync(".").filter((name) => name.endsWith(".js"))',
    'const found = all.filter((name) => readFileSync(name, "utf8").match(pattern))',
    'for (const name of found) writeFileSync(name, readFileSync(name, "utf8").replace(new RegExp(pattern), to))',
    'if (found.length === 0) throw new Error("the text is not there")',
  ].join(';')
  const command = ['node', '--input-type=commonjs', '--eval', script, pattern, to]
  return ['USER 0:0', `RUN ${JSON.stringify(command)}`, 'USER 10001:10001']
}
