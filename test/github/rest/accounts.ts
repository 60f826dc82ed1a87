import { isAtLeast } from '../model/permissions.ts'
import { levelOf } from '../model/state.ts'
import { presentAccount } from '../present/accounts.ts'
import { presentRepository } from '../present/repository.ts'
import { notFound } from '../refusal.ts'
import { authorOf, ok, page, type Route } from './exchange.ts'

export const accounts: Route[] = [
  {
    operation: 'GET /user',
    access: { kind: 'user' },
    handle: (exchange) => ok(presentAccount(exchange.world, authorOf(exchange).account)),
  },
  {
    operation: 'GET /users/{username}',
    access: { kind: 'anyone' },
    handle({ world, params }) {
      const account = world.state.accounts.get(String(params.username).toLowerCase())
      if (!account) throw notFound()
      return ok(presentAccount(world, account))
    },
  },
  {
    operation: 'GET /user/repos',
    access: { kind: 'user' },
    handle(exchange) {
      const { world } = exchange
      const { account } = authorOf(exchange)
      const all = [...world.state.repositories.values()]
      const own = all.filter(
        (repository) =>
          repository.owner.id === account.id || repository.levels.has(account.login.toLowerCase()),
      )
      const visible = own.filter((repository) => isAtLeast(levelOf(repository, account), 'read'))
      return page(exchange, visible, (each) => presentRepository(world, each, levelOf(each, account)))
    },
  },
]
