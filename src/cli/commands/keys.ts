import { type Command, InvalidArgumentError } from 'commander'
import { KodusError } from '../../lib/errors.ts'
import { SCOPES, type Scope } from '../../store/api-key.ts'
import { createApiKey } from '../../store/create-api-key.ts'
import { listApiKeys } from '../../store/list-api-keys.ts'
import { revokeApiKey } from '../../store/revoke-api-key.ts'
import { withDatabase } from '../with-database.ts'

export function addKeys(program: Command): void {
  const keys = program.command('keys').description('Keys of the REST API. Only their hashes are stored.')

  keys
    .command('create <name>')
    .description('make a key and print it, once')
    .option('--scope <scopes>', `what it may do: ${SCOPES.join(', ')}, or both with a comma`, parseScopes, [
      'read',
    ])
    .action((name: string, { scope }: { scope: Scope[] }) =>
      withDatabase(async (db) => {
        if (!name.trim())
          throw new KodusError('KEY_NAMELESS', 'The key has no name.', { help: 'Name what it is for.' })
        const { id, key } = await createApiKey(db, { name, scopes: scope })
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

function parseScopes(list: string): Scope[] {
  const names = [...new Set(list.split(',').map((name) => name.trim()))]
  const scopes = names.flatMap((name) => SCOPES.filter((scope) => scope === name))
  if (scopes.length === names.length) return scopes
  throw new InvalidArgumentError(`Allowed are ${SCOPES.join(', ')}, or both with a comma.`)
}

function date(moment: Date | null): string {
  return moment ? moment.toISOString().slice(0, 16).replace('T', ' ') : 'never'
}
