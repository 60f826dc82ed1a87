import type { OldRows } from './remove-rows.ts'

/** How far polling had come in repositories that are not polled any more. */
export const OLD_POLL_CURSORS: OldRows = {
  table: 'poll_cursors',
  walk: [
    { column: 'forge', type: 'text', before: '' },
    { column: 'repository', type: 'text', before: '' },
  ],
  removed: `t.updated_at < now() - $1 * interval '1 second'`,
}

/** Turns at things that nobody does any more. Without its row, a turn is free. */
export const OLD_TURNS: OldRows = {
  table: 'turns',
  walk: [{ column: 'name', type: 'text', before: '' }],
  removed: `t.taken_at < now() - $1 * interval '1 second'`,
}
