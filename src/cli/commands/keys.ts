import { type Command, Option } from 'commander'
import { KodusError } from '../../lib/errors.ts'
import { silentLog } from '../../lib/log.ts'
import { createApiKey, SCOPES, type Scope } from '../../store/create-api-key.ts'
import { type DatabasePool, namingOutages, openDatabase } from '../../store/database.ts'
import { listApiKeys } from '../../store/list-api-keys.ts'
import { migrate } from '../../store/migrate.ts'
import { revokeApiKey } from '../../store/revoke-api-key.ts'
import { readDatabase } from '../config.ts'

export function addKeys(program: Command): void {
  const keys = program.command('keys').description('Keys of the REST API. Only their hashes are stored.')

  keys
    .command('create <name>')
    .description('make a key and print it, once')
    .addOption(new Option('--scope <scope...>', 'what it may do').choices(SCOPES).default(['read']))
    .action((name: string, { scope }: { scope: Scope[] }) =>
      withDatabase(async (db) => {
        const { id, key } = await createApiKey(db, { name, scopes: [...new Set(scope)] })
        console.error(`Key ${id} (${scope.join(', ')}). It is shown this once:`)
        console.log(key)
      }),
    )

  keys
    .command('list')
    .description('list keys, revoked ones too')
    .action(() =>
      withDatabase(async (db) => {
        for (const key of await listApiKeys(db)) {
          const state = key.revokedAt ? `revoked ${date(key.revokedAt)}` : `last used ${date(key.lastUsedAt)}`
          console.log(
            `${key.id}  ${key.scopes.join(',').padEnd(10)}  created ${date(key.createdAt)}  ${state}  ${key.name}`,
          )
        }
      }),
    )

  keys
    .command('revoke <id>')
    .description('end a key; requests with it are refused from then on')
    .action((id: string) =>
      withDatabase(async (db) => {
        if (await revokeApiKey(db, id)) return console.log(`revoked ${id}`)
        throw new KodusError('KEY_UNKNOWN', `No valid key has the id ${id}.`, {
          help: '`kodus keys list` shows them.',
        })
      }),
    )
}

async function withDatabase(use: (db: DatabasePool) => Promise<void>): Promise<void> {
  const { databaseUrl, databaseCaFile } = readDatabase()
  const db = openDatabase({
    url: databaseUrl,
    caFile: databaseCaFile,
    component: 'cli',
    maxConnections: 1,
    log: silentLog,
  })
  try {
    await namingOutages(migrate(db).then(() => use(db)))
  } finally {
    await db.end()
  }
}

function date(moment: Date | null): string {
  return moment ? moment.toISOString().slice(0, 16).replace('T', ' ') : 'never'
}
