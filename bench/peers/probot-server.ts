// Probot as its documentation has it served by `node:http`: its own middleware, with a handler that does nothing.
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import { createNodeMiddleware, createProbot } from 'probot'

const { PORT, WEBHOOK_SECRET = '' } = process.env
const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  publicKeyEncoding: { type: 'pkcs1', format: 'pem' },
})
const probot = createProbot({ overrides: { appId: 1, privateKey, secret: WEBHOOK_SECRET } })
const middleware = await createNodeMiddleware(
  (app) => app.on(['pull_request.opened', 'pull_request.synchronize'], async () => {}),
  { probot, webhooksPath: '/webhooks' },
)

createServer((request, response) => {
  void middleware(request, response, () => response.writeHead(404, { 'content-length': 0 }).end())
}).listen(Number(PORT), '127.0.0.1', () => process.send?.('ready'))

process.on('disconnect', () => process.exit())
