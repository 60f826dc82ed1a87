import { testUpgradeOver } from './old-beside-new.ts'

testUpgradeOver({ queue: 'PostgreSQL', skip: false, queueEnv: async () => ({}) })
