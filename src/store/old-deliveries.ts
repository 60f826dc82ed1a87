import type { OldRows } from './remove-rows.ts'

/** Tombstones of deliveries, once the job is gone as well. After this, the same delivery would be a new one. */
export const OLD_DELIVERIES: OldRows = {
  table: 'deliveries',
  walk: [
    { column: 'received_at', type: 'timestamptz', before: '-infinity' },
    { column: 'forge', type: 'text', before: '' },
    { column: 'delivery_id', type: 'text', before: '' },
  ],
  met: `t.received_at < now() - $1 * interval '1 second'`,
  removed: `not exists (select from workflow_jobs j where j.id = t.job_id)`,
}

/** Deliveries that had failed at the forge, and have arrived since or been given up. */
export const OLD_REDELIVERIES: OldRows = {
  table: 'redeliveries',
  walk: [
    { column: 'forge', type: 'text', before: '' },
    { column: 'delivery_id', type: 'text', before: '' },
  ],
  removed: `t.outcome not in ('found', 'requested') and t.updated_at < now() - $1 * interval '1 second'`,
}
