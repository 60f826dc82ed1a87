import type { Database } from './database.ts'

/** A dead message as it was kept. */
export interface DeadLetter {
  id: string
  queue: string
  routingKey: string
  reason: string
  messageId: string | null
  /** How much of its body is kept. */
  bytes: number
  /** The first bytes of the body, for a person to recognise it by. They are a stranger's. */
  beginning: Buffer
  receivedAt: Date
}

/** Bytes of a body that a listing shows. */
const BEGINNING_BYTES = 200

/** One page of the open dead letters, newest first. `next` is undefined on the last page. */
export async function listDeadLetters(
  db: Database,
  { before, limit }: { before?: string | undefined; limit: number },
): Promise<{ letters: DeadLetter[]; next: string | undefined }> {
  const { rows } = await db.query<DeadLetter>(
    `select id, queue, routing_key as "routingKey", reason, message_id as "messageId", length(body) as bytes,
       substring(body from 1 for ${BEGINNING_BYTES}) as beginning, received_at as "receivedAt"
     from dead_letters where settled_at is null and ($1::bigint is null or id < $1)
     order by id desc limit $2`,
    [before ?? null, limit + 1],
  )
  const letters = rows.slice(0, limit)
  return { letters, next: rows.length > limit ? letters.at(-1)?.id : undefined }
}
