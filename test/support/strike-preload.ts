import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { MOMENTS, whenReached } from '../../src/lib/moments.ts'
import { ARMED, DIRECTORY_VARIABLE, STRUCK, type Strike } from './strike.ts'

/**
 * Loaded into components by NODE_OPTIONS (see strike.ts): lets a strike hit its own process at the moment it is
 * armed for. At most one process is hit by each, and once: whoever moves its file first.
 */
const directory = process.env[DIRECTORY_VARIABLE] ?? ''
/** Of the job that was claimed last: where a worker has one slot, of the job that it runs. */
let repository: string | undefined

whenReached('job-claimed', (about) => {
  repository = about.repository
})

for (const moment of MOMENTS) {
  whenReached(moment, () => {
    for (const name of readdirSync(path.join(directory, ARMED))) strike(moment, name)
  })
}

function strike(moment: string, name: string): void {
  const file = path.join(directory, ARMED, name)
  const armed = read(file)
  if (armed?.at !== moment) return
  if (armed.component !== undefined && armed.component !== process.env.COMPONENT_TYPE) return
  if (armed.repository !== undefined && armed.repository !== repository) return
  try {
    renameSync(file, path.join(directory, name))
  } catch {
    return // Another process is hit by it.
  }
  writeFileSync(path.join(directory, STRUCK, name), String(process.pid))
  process.kill(process.pid, armed.signal)
}

function read(file: string): Strike | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined // Moved by another process meanwhile, which has been hit, or by this one.
  }
}
