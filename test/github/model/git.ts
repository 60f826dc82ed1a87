import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** The mode of a file, a link, or a submodule, and what it holds. */
export type FileContent =
  | string
  | Buffer
  | { mode: '100755' | '120000'; content: string }
  | { submodule: string }

/** `null` deletes a file. */
export type Files = Record<string, FileContent | null>

const BIGGEST_OUTPUT = 512 * 1024 ** 2

/** Runs git in a repository, undisturbed by this machine's configuration. */
export function git(directory: string, args: string[], input?: Buffer): string {
  return gitBytes(directory, args, input).toString().trim()
}

/** The same, when what git says is not to be touched. */
export function gitBytes(directory: string, args: string[], input?: Buffer): Buffer {
  return execFileSync('git', args, {
    cwd: directory,
    input,
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: BIGGEST_OUTPUT,
    env: {
      PATH: process.env.PATH,
      HOME: directory,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: 'Mona',
      GIT_AUTHOR_EMAIL: 'mona@example.com',
      GIT_COMMITTER_NAME: 'Mona',
      GIT_COMMITTER_EMAIL: 'mona@example.com',
    },
  })
}

const answers = new Map<string, string>()
const MOST_ANSWERS = 20_000

/**
 * The same for what never changes, because it only names commits by their ids: git is started for it once. Starting
 * it from a process as large as one with a whole GitHub in it is what most of a long chaos run's time went into.
 */
export function gitOfCommits(directory: string, args: string[]): string {
  const question = [directory, ...args].join('\0')
  const known = answers.get(question)
  if (known !== undefined) return known
  const answer = git(directory, args)
  if (answers.size >= MOST_ANSWERS) answers.clear()
  answers.set(question, answer)
  return answer
}

export function createBareRepository(directory: string): void {
  mkdirSync(directory, { recursive: true })
  git(directory, ['init', '--quiet', '--bare', '--initial-branch=main'])
  // As GitHub serves them: partial clones, and any object by its id.
  git(directory, ['config', 'uploadpack.allowFilter', 'true'])
  git(directory, ['config', 'uploadpack.allowAnySHA1InWant', 'true'])
  git(directory, ['config', 'gc.auto', '0'])
}

/** Stores a commit that changes these files of `parent`, and no reference. @returns its id */
export function storeCommit(
  directory: string,
  { parent, files, message, date }: { parent?: string; files: Files; message: string; date: Date },
): string {
  const reference = 'refs/kodus-test/new'
  const seconds = Math.floor(date.getTime() / 1000)
  const stream = [
    line(`commit ${reference}`),
    line(`committer Mona <mona@example.com> ${seconds} +0000`),
    data(Buffer.from(message)),
    ...(parent ? [line(`from ${parent}`)] : []),
    ...Object.entries(files).flatMap(([name, content]) => change(name, content)),
  ]
  git(directory, ['fast-import', '--quiet', '--force'], Buffer.concat(stream))
  const id = git(directory, ['rev-parse', reference])
  git(directory, ['update-ref', '-d', reference])
  return id
}

/** Moves a reference, as git keeps it: a file of its own. No process is started for it, for the reason above. */
export function setReference(directory: string, reference: string, commit: string): void {
  const file = path.join(directory, reference)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(`${file}.lock`, `${commit}\n`, { flag: 'wx' })
  renameSync(`${file}.lock`, file)
}

/** A reference that has a file of its own: one that git has packed with others has none. */
function readReference(directory: string, reference: string): string | undefined {
  try {
    return readFileSync(path.join(directory, reference), 'utf8').trim()
  } catch {
    return undefined
  }
}

export function resolve(directory: string, revision: string): string | undefined {
  const referred = revision.startsWith('refs/') ? readReference(directory, revision) : undefined
  if (referred) return referred
  const ask = /^[0-9a-f]{40}$/.test(revision) ? gitOfCommits : git
  try {
    return ask(directory, ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`])
  } catch {
    return undefined
  }
}

export function isAncestor(directory: string, ancestor: string, commit: string): boolean {
  try {
    git(directory, ['merge-base', '--is-ancestor', ancestor, commit])
    return true
  } catch {
    return false
  }
}

/** Brings a commit's objects from another repository, under a reference. */
export function copyCommit(from: string, to: string, commit: string, reference: string): void {
  if (from === to) setReference(to, reference, commit)
  else git(to, ['fetch', '--quiet', '--no-tags', from, `+${commit}:${reference}`])
}

function change(name: string, content: FileContent | null): Buffer[] {
  const quoted = [...Buffer.from(name)].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')
  if (content === null) return [line(`D "${quoted}"`)]
  if (typeof content === 'object' && 'submodule' in content) {
    return [line(`M 160000 ${content.submodule} "${quoted}"`)]
  }
  const plain = typeof content === 'string' || Buffer.isBuffer(content)
  const mode = plain ? '100644' : content.mode
  return [line(`M ${mode} inline "${quoted}"`), data(Buffer.from(plain ? content : content.content))]
}

function line(text: string): Buffer {
  return Buffer.from(`${text}\n`)
}

function data(bytes: Buffer): Buffer {
  return Buffer.concat([line(`data ${bytes.length}`), bytes, line('')])
}
