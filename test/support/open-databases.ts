import path from 'node:path'
import { startEmbeddedPostgres } from '../../src/cli/stack/embedded-postgres.ts'
import { createLog } from '../../src/lib/log.ts'
import { keptDatabases } from './servers.ts'
import { urlOfDatabase } from './template-database.ts'

// Starts the database server that a failed run of the tests has left, until Ctrl-C.
const directory = process.argv[2]
if (directory === undefined) throw new Error('usage: node test/support/open-databases.ts <directory>')

const server = await startEmbeddedPostgres({
  directory: path.join(directory, 'postgres'),
  log: createLog('test'),
})
for (const name of await keptDatabases(server.url)) console.log(urlOfDatabase(server.url, name))
console.log(`Ctrl-C stops the server. Afterwards: rm -r ${directory}`)
const alive = setInterval(() => {}, 60_000)
process.once('SIGINT', async () => {
  clearInterval(alive)
  await server.stop()
})
