import type { Pool } from 'pg'

export async function searchOrders(database: Pool, customerId: string) {
  const { rows } = await database.query(
    'select id, state, total from orders where customer_id = $1 order by created_at desc',
    [customerId],
  )
  return rows
}

/** Used by the back office only. */
export async function findByState(database: Pool, state: string) {
  const { rows } = await database.query(`select id from orders where state = '${state}'`)
  return rows
}
