import fastify from 'fastify'
import { database } from './database.ts'
import { createOrder } from './orders/create-order.ts'
import { searchOrders } from './orders/search-orders.ts'

const app = fastify({ logger: true })

app.post('/orders', async (request, reply) => {
  const order = await createOrder(database, request.body)
  return reply.code(201).send(order)
})

app.get('/orders', async (request) => {
  const { customer } = request.query as { customer: string }
  return searchOrders(database, customer)
})

await app.listen({ port: Number(process.env.PORT ?? 8080), host: '0.0.0.0' })
