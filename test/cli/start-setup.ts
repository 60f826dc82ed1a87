import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import type { Ran } from '../support/kodus.ts'

/** A directory of its own, as `.kodus` is one: not there yet. */
export function aDirectory(t: TestContext): string {
  const parent = realpathSync(mkdtempSync(path.join(tmpdir(), 'kodus-setup-')))
  t.after(() => rmSync(parent, { recursive: true, force: true }))
  return path.join(parent, '.kodus')
}

export interface RunningSetup {
  /** The address of its page, as it is printed. */
  page: string
  ended: Promise<Ran>
}

/** `kodus setup github` as a process, until it has printed the address of its page. */
export async function startSetup(
  t: TestContext,
  args: string[],
  env: Record<string, string>,
): Promise<RunningSetup> {
  const child = spawn(process.execPath, ['src/cli/main.ts', 'setup', 'github', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => void child.kill('SIGKILL'))
  const printed = { stdout: '', stderr: '' }
  child.stderr.setEncoding('utf8').on('data', (text) => {
    printed.stderr += text
  })
  const ended = once(child, 'close').then(([code]) => ({ code, ...printed }))
  const page = await new Promise<string>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      printed.stdout += text
      const address = /^ {2}(http:\/\/127\.0\.0\.1:\d+\/)$/m.exec(printed.stdout)?.[1]
      if (address) resolve(address)
    })
    void ended.then(({ code, stderr }) => reject(new Error(`setup ended with ${code}: ${stderr}`)))
  })
  return { page, ended }
}

/** What a browser reads on the page: where the form goes, and what it sends there. */
export async function readForm(page: string) {
  const response = await fetch(page)
  const html = await response.text()
  const [, action = ''] = /<form method="post" action="([^"]*)">/.exec(html) ?? []
  const [, manifest = '{}'] = /name="manifest" value="([^"]*)"/.exec(html) ?? []
  return { html, action: new URL(unescaped(action)), manifest: JSON.parse(unescaped(manifest)) }
}

function unescaped(html: string): string {
  return html.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
}
