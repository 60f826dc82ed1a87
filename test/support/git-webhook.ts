import { createHmac, randomUUID } from 'node:crypto'

/** A webhook of plain git as its sender makes it: signed over the very bytes of its body. */
export function gitWebhook(
  request: object,
  secret: string,
  id: string = randomUUID(),
): { body: string; headers: Record<string, string> } {
  const body = JSON.stringify(request)
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'x-kodus-delivery': id,
      'x-kodus-signature-256': `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`,
    },
  }
}
