import type { Pool } from 'pg'
import { type Cents, parseAmount, sum } from '../pricing/money.ts'

interface Item {
  sku: string
  price: string
  quantity: number
}

export interface Order {
  id: string
  total: Cents
}

export async function createOrder(database: Pool, body: unknown): Promise<Order> {
  const { customerId, items, note } = body as { customerId: string; items: Item[]; note?: string }
  const total = sum(items.map((item) => parseAmount(item.price) * item.quantity))
  const { rows } = await database.query(
    'insert into orders (customer_id, total, note) values ($1, $2, $3) returning id',
    [customerId, total, note ?? null],
  )
  return { id: rows[0].id, total }
}
