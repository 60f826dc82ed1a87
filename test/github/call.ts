import { createSign } from 'node:crypto'
import type { Answer, GitHub } from './server.ts'

export interface Called {
  status: number
  body: Answer
  headers: Headers
}

/** Calls the API as anybody might: nothing but `fetch`. `GET /repos/octo/shop`, with a token and a body. */
export async function call(
  github: GitHub,
  token: string | undefined,
  request: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Called> {
  const [method = 'GET', path = '/'] = request.split(' ')
  const url = path === '/graphql' ? `${github.origin}/api/graphql` : github.apiUrl + path
  const response = await fetch(url, {
    method,
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    body: text === '' ? undefined : JSON.parse(text),
    headers: response.headers,
  }
}

/** A JWT for the App; claims may be wrong on purpose. */
export function jwt(
  github: GitHub,
  claims: Record<string, unknown> = {},
  key = github.app.privateKey,
): string {
  const now = Math.floor(github.clock.now().getTime() / 1000)
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const payload = { iss: github.app.id, iat: now - 30, exp: now + 300, ...claims }
  const signed = `${part({ alg: 'RS256', typ: 'JWT' })}.${part(payload)}`
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`
}
