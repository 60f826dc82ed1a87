import type { OldRows } from './remove-rows.ts'

/** Results of stages, for attempts that will not come: the job is finished, and a replay is a new run. */
export const OLD_CHECKPOINTS: OldRows = {
  table: 'workflow_job_checkpoints',
  walk: [
    { column: 'job_id', type: 'uuid', before: '00000000-0000-0000-0000-000000000000' },
    { column: 'run', type: 'integer', before: '0' },
    { column: 'stage', type: 'text', before: '' },
  ],
  removed: `exists (select from workflow_jobs j
    where j.id = t.job_id and j.finished_at < now() - $1 * interval '1 second')`,
}
