import type { OldRows } from './remove-rows.ts'

/** Messages that nobody could read and that a person has settled. Those that wait for one stay. */
export const OLD_DEAD_LETTERS: OldRows = {
  table: 'dead_letters',
  walk: [{ column: 'id', type: 'bigint', before: '0' }],
  removed: `t.settled_at < now() - $1 * interval '1 second'`,
}
