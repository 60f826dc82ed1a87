import type { Pool } from 'pg'
import { database } from '../database.ts'

const CARRIER = process.env.CARRIER_URL ?? 'http://carrier:9000'

async function ship(pool: Pool, orderId: string): Promise<void> {
  await fetch(`${CARRIER}/shipments`, { method: 'POST', body: JSON.stringify({ orderId }) })
  await pool.query("update orders set state = 'shipped' where id = $1", [orderId])
}

export async function shipPaidOrders(): Promise<number> {
  const { rows } = await database.query("select id from orders where state = 'paid'")
  for (const row of rows) {
    await ship(database, row.id)
  }
  return rows.length
}

export async function markDelivered(orderId: string): Promise<void> {
  try {
    await database.query("update orders set state = 'delivered' where id = $1", [orderId])
  } catch (error) {}
}
