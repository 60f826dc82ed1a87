import { type Choice, choiceParameters, chooseFairly } from './choose-fairly.ts'
import type { Database } from './database.ts'
import type { WaitingJob } from './take-due-jobs.ts'

/**
 * Jobs that could be claimed at this moment and of which the queue was told long ago: where it is empty
 * nevertheless, nobody will come for them. None while claiming is stopped.
 */
export async function findForgotten(db: Database, choice: Choice): Promise<WaitingJob[]> {
  const { rows } = await db.query<WaitingJob>(
    `select j.id as "jobId", j.type, j.version, j.fence from workflow_jobs j
     join (${chooseFairly(choice.types)}) chosen on chosen.id = j.id
     where j.due_at > now() + interval '1 minute'
       and not exists (select from stops where name = 'claiming')`,
    choiceParameters(choice),
  )
  return rows
}
