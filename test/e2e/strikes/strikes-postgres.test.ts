import { describe } from 'node:test'
import { githubDescription } from '../../github/server.ts'
import { strikes } from './strikes.ts'

const skip = await githubDescription()

describe('strikes, with PostgreSQL as the queue', () => {
  strikes(async () => ({}), { skip })
})
