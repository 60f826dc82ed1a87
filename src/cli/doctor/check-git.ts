import { gitVersion } from '../../lib/git/run-git.ts'
import type { Check } from './check.ts'

export const checkGit: Check = async () => ({ state: 'ok', says: `git ${await gitVersion()}` })
