// The least that a webhook can cost: read, verify, parse, answer. Keeps nothing.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'

const { PORT, WEBHOOK_SECRET = '' } = process.env

createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks)
    const given = Buffer.from(String(request.headers['x-hub-signature-256']).slice('sha256='.length), 'hex')
    const valid = timingSafeEqual(createHmac('sha256', WEBHOOK_SECRET).update(body).digest(), given)
    const { action } = JSON.parse(body.toString())
    const answer = JSON.stringify({ action })
    response.writeHead(valid ? 202 : 401, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(answer),
    })
    response.end(answer)
  })
}).listen(Number(PORT), '127.0.0.1', () => process.send?.('ready'))

process.on('disconnect', () => process.exit())
