import type { OldRows } from './remove-rows.ts'

/** What no forge was told of while anybody waited for it. While an operator has stopped posting, it is kept. */
export const OLD_UNTOLD: OldRows = {
  table: 'untold_jobs',
  walk: [
    { column: 'job_id', type: 'uuid', before: '00000000-0000-0000-0000-000000000000' },
    { column: 'run', type: 'integer', before: '0' },
  ],
  removed: `t.since < now() - $1 * interval '1 second' and not exists (select from stops where name = 'posting')`,
}
