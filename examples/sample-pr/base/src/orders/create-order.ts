import type { Pool } from 'pg'
import { type Cents, parseAmount, sum } from '../money.ts'

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
  const { customerId, items } = body as { customerId: string; items: Item[] }
  const total = sum(items.map((item) => parseAmount(item.price) * item.quantity))
  const { rows } = await database.query(
    'insert into orders (customer_id, total) values ($1, $2) returning id',
    [customerId, total],
  )
  return { id: rows[0].id, total }
}
