import { describe } from 'node:test'
import { githubDescription } from '../../github/server.ts'
import { disorder } from './disorder.ts'

const skip = await githubDescription()

describe('webhooks of GitHub out of step, with PostgreSQL as the queue', () => {
  disorder(async () => ({}), { skip })
})
