import { databaseClock } from './database-clock.ts'

databaseClock(async () => ({}))
