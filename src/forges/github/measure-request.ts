import { asKodusError } from '../../lib/errors.ts'
import { forgeDuration } from '../../lib/telemetry/catalogue.ts'
import { secondsSince } from '../../lib/telemetry/instrument.ts'
import { traced } from '../../lib/telemetry/trace.ts'

/**
 * Does a request to GitHub, measured and traced. Of its address only the template is told
 * (`/repos/{owner}/{repo}`), which names no repository; the address of a next page has none.
 */
export async function measureRequest<Answer>(
  { method, url }: { method: string; url: string },
  request: () => Promise<Answer>,
): Promise<Answer> {
  const began = performance.now()
  const measure = (outcome: string) =>
    forgeDuration.record({ forge: 'github', method, outcome }, secondsSince(began))
  const template = url.startsWith('/') ? url : '(next page)'
  const attributes = { 'http.request.method': method, 'url.template': template }
  try {
    const answer = await traced({ name: `${method} ${template}`, kind: 'client', attributes }, request)
    measure('ok')
    return answer
  } catch (error) {
    measure(asKodusError(error).code)
    throw error
  }
}
