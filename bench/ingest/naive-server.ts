// What is written first: one insert a request, with the payload as jsonb. The text of the body goes to the
// server as it came; turning the parsed object into text again would cost more.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import pg from 'pg'

const { PORT, WEBHOOK_SECRET = '', DATABASE_URL = '' } = process.env
const pool = new pg.Pool({ connectionString: DATABASE_URL })
await pool.query(
  `create table webhooks (
    delivery_id text primary key, event text not null, payload jsonb not null, received_at timestamptz not null default now())`,
)

createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', async () => {
    const body = Buffer.concat(chunks)
    const given = Buffer.from(String(request.headers['x-hub-signature-256']).slice('sha256='.length), 'hex')
    const valid = timingSafeEqual(createHmac('sha256', WEBHOOK_SECRET).update(body).digest(), given)
    if (!valid) return response.writeHead(401, { 'content-length': 0 }).end()
    const text = body.toString()
    const { action } = JSON.parse(text)
    await pool.query(
      'insert into webhooks (delivery_id, event, payload) values ($1, $2, $3) on conflict do nothing',
      [request.headers['x-github-delivery'], request.headers['x-github-event'], text],
    )
    const answer = JSON.stringify({ action })
    response.writeHead(202, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(answer),
    })
    response.end(answer)
  })
}).listen(Number(PORT), '127.0.0.1', () => process.send?.('ready'))

process.on('disconnect', () => process.exit())
