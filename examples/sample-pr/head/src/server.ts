import fastify from 'fastify'
import { database } from './database.ts'
import { createOrder } from './orders/create-order.ts'
import { searchOrders } from './orders/search-orders.ts'
import { shipPaidOrders } from './orders/ship-orders.ts'

const app = fastify({ logger: true })

app.post('/orders', async (request, reply) => {
  const order = await createOrder(database, request.body)
  return reply.code(201).send(order)
})

app.get('/orders', async (request) => {
  const { customer, note } = request.query as { customer: string; note?: string }
  return searchOrders(database, customer, note)
})

setInterval(async () => {
  const shipped = await shipPaidOrders()
  app.log.info({ shipped }, 'shipped paid orders')
}, 60_000)

await app.listen({ port: Number(process.env.PORT ?? 8080), host: '0.0.0.0' })
