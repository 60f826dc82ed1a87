import { createHash } from 'node:crypto'
import type { Database } from './database.ts'

/** A message that no component could read, as the broker brings it. */
export interface DeadMessage {
  /** The queue in which it died. */
  queue: string
  routingKey: string
  /** Why it died, in words. */
  reason: string
  messageId: string | null
  body: Buffer
}

/** Our own messages are a few kilobytes: what is longer is none of ours, and its beginning tells whose it is. */
export const MAX_KEPT_BYTES = 1024 * 1024

/**
 * Keeps a dead message for a person; one that comes twice is kept once, and one that comes again after it was
 * settled is open again. Of a body longer than `MAX_KEPT_BYTES` the beginning is kept, and the reason says so.
 *
 * @returns its id
 */
export async function keepDeadLetter(db: Database, message: DeadMessage): Promise<string> {
  const { queue, routingKey, messageId, body } = message
  const digest = createHash('sha256')
    .update(JSON.stringify([queue, routingKey]))
    .update(body)
    .digest()
  const cut = body.length > MAX_KEPT_BYTES
  const reason = cut
    ? `${message.reason}; kept are the first ${MAX_KEPT_BYTES} of its ${body.length} bytes`
    : message.reason
  const { rows } = await db.query<{ id: string }>(
    `insert into dead_letters as known (queue, routing_key, reason, message_id, body, digest)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (digest) do update set
       received_at = case when known.settled_at is null then known.received_at else now() end,
       settled_at = null, settled_by = null, outcome = null
     returning id`,
    [
      storable(queue),
      storable(routingKey),
      storable(reason),
      messageId === null ? null : storable(messageId),
      cut ? body.subarray(0, MAX_KEPT_BYTES) : body,
      digest,
    ],
  )
  return rows[0]?.id ?? ''
}

/** Anybody may name a message as they like; PostgreSQL's text takes no NUL. */
function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}
