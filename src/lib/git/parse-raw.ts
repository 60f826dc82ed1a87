import { isUtf8 } from 'node:buffer'
import { KodusError } from '../errors.ts'
import { gitUnexpected } from './git-error.ts'

/** One entry of `git diff-tree --raw -z`. */
export interface RawEntry {
  status: 'A' | 'D' | 'M' | 'R' | 'T'
  oldMode: string
  newMode: string
  oldId: string
  newId: string
  /** Set for a rename only. */
  previousPath?: string
  path: string
  /** From `--numstat`: git took one of the sides for binary. */
  binary: boolean
}

const RECORD = /^:([0-7]{6}) ([0-7]{6}) ([0-9a-f]{40,64}) ([0-9a-f]{40,64}) ([ADMRT])\d*$/
const COUNTS = /^(-|\d+)\t(-|\d+)\t/

/**
 * Reads `git diff-tree --raw --numstat -z`: first all raw records, then the counts of each file. Fields end
 * with NUL, the one byte that no path holds, so that any path survives.
 *
 * @throws KodusError GIT_TREE_REFUSED for a path that no checkout could have
 */
export function parseRaw(output: Buffer): RawEntry[] {
  const fields = splitFields(output)
  let at = 0
  const next = () => {
    const field = fields[at++]
    if (field === undefined) throw gitUnexpected('a record that ends early')
    return field
  }

  // By the path's bytes: two paths may look the same once decoded.
  const entries = new Map<string, RawEntry>()
  while (at < fields.length && fields[at]?.[0] === ':'.charCodeAt(0)) {
    const [, oldMode = '', newMode = '', oldId = '', newId = '', status] =
      RECORD.exec(next().toString('latin1')) ?? []
    if (!status) throw gitUnexpected('a change of unknown kind')
    const first = next()
    const second = status === 'R' ? next() : undefined
    const path = second ?? first
    entries.set(path.toString('latin1'), {
      status: status as RawEntry['status'],
      oldMode,
      newMode,
      oldId,
      newId,
      ...(second ? { previousPath: plainPath(first) } : {}),
      path: plainPath(path),
      binary: false,
    })
  }

  while (at < fields.length) {
    const field = next().toString('latin1')
    const counts = COUNTS.exec(field)
    if (!counts) throw gitUnexpected('counts of unknown form')
    let path = field.slice(counts[0].length)
    if (path === '') {
      next()
      path = next().toString('latin1')
    }
    const entry = entries.get(path)
    if (!entry) throw gitUnexpected('counts of a file that did not change')
    entry.binary = counts[1] === '-'
  }
  return [...entries.values()]
}

function splitFields(output: Buffer): Buffer[] {
  const fields: Buffer[] = []
  let start = 0
  for (let end = output.indexOf(0); end !== -1; end = output.indexOf(0, start)) {
    fields.push(output.subarray(start, end))
    start = end + 1
  }
  if (start !== output.length) throw gitUnexpected('a field without an end')
  return fields
}

function plainPath(bytes: Buffer): string {
  const path = decodePath(bytes)
  if (isPlainPath(path)) return path
  throw new KodusError('GIT_TREE_REFUSED', `The change has a file with the path ${JSON.stringify(path)}.`, {
    help: 'No git client makes such a tree, and none would check it out. Find out who made the commit.',
  })
}

/** Relative, and no part of it leads elsewhere or into a repository's own directory. */
export function isPlainPath(path: string): boolean {
  return path !== '' && path.split('/').every((part) => !/^(?:\.{0,2}|\.git)$/i.test(part))
}

/** Paths are bytes. What is not UTF-8 is shown as git shows it: `caf\351`. */
function decodePath(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8')
  return bytes.toString('latin1').replace(/[\u0080-\u00ff]/g, (byte) => `\\${byte.charCodeAt(0).toString(8)}`)
}
