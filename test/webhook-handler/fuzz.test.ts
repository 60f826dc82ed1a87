import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { createDatabase } from '../support/database.ts'
import { pullRequestEvent } from './pull-request-event.ts'
import { connectRaw, type RawClient, requestHead } from './raw-client.ts'
import { get, gitBody, gitHeaders, githubHeaders, startHandler } from './start-handler.ts'

// What no HTTP client would send, byte for byte. `any-request.test.ts` does the same for what they all can.
// FUZZ_RUNS=100000 FUZZ_SEED=$RANDOM looks further than the suite has time for.
const RUNS = Number(process.env.FUZZ_RUNS ?? 250)
const SEED = Number(process.env.FUZZ_SEED ?? 20_260_101)
const CONNECTIONS_AT_ONCE = 12

/** By the app. 503: too much at once. */
const ANSWERED = [200, 202, 400, 401, 404, 405, 413, 503]
/** By Node itself, with no body: not HTTP, too slow, extensions or headers too large, an expectation it does not know. */
const NOT_HTTP = [400, 408, 413, 417, 431]

/** Sent in these pieces. `patience`: whether there is an answer to wait for before it hangs up, and how it does. */
interface Attack {
  pieces: Buffer[]
  hangUp: 'after the answer' | 'politely' | 'suddenly'
}

interface Message {
  head: string
  body: Buffer
}

function message(forge: string, extra: Record<string, string>, body: Buffer): Message {
  const signed = forge === 'git' ? gitHeaders(body) : githubHeaders(body)
  return { head: requestHead(`/webhooks/${forge}`, { ...signed, ...extra }), body }
}

const forge = fc.constantFrom('git', 'github')
const content = forge.chain((name) =>
  fc
    .constantFrom<(plain: string) => Buffer>(
      (plain) => Buffer.from(plain),
      (plain) => gzipSync(plain),
      (plain) => Buffer.from(`${plain}${' '.repeat(100_000)}`),
      () => Buffer.alloc(0),
    )
    .map((encode) => ({ name, body: encode(name === 'git' ? gitBody() : pullRequestEvent({})) })),
)
const header = fc.tuple(
  fc.constantFrom(
    'content-type',
    'content-encoding',
    'content-length',
    'transfer-encoding',
    'expect',
    'upgrade',
    'connection',
    'x-hub-signature-256',
    'x-kodus-delivery',
    'x-odd',
  ),
  fc.oneof(
    fc.constantFrom(
      'gzip',
      'chunked',
      'identity, chunked',
      '100-continue',
      'gold',
      '-1',
      '0',
      '1e3',
      'h2c',
      '',
    ),
    fc.nat({ max: 40_000 }).map((length) => 'v'.repeat(length)),
    fc.nat().map(String),
  ),
)

/** As it should be, but for compression and whatever headers. */
const whole = fc.tuple(content, fc.array(header, { maxLength: 2 })).map(([{ name, body }, headers]) => {
  const { head } = message(
    name,
    { 'content-length': String(body.length), ...Object.fromEntries(headers) },
    body,
  )
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
})

/** With a length that is not its own. */
const wrongLength = fc
  .tuple(content, fc.integer({ min: -200, max: 100_000 }))
  .map(([{ name, body }, off]) => {
    const { head } = message(name, { 'content-length': String(body.length + off) }, body)
    return Buffer.concat([Buffer.from(head), body])
  })

const chunk = fc.tuple(
  fc.constantFrom(
    '',
    '0',
    '1',
    '5',
    'ff',
    'FFFFFFFF',
    'ffffffffffffffffff',
    '-1',
    '5;x=y',
    `5;${'e'.repeat(20_000)}`,
    'zz',
  ),
  fc.constantFrom('\r\n', '\n', ''),
  fc.string({ maxLength: 20 }),
)
/** In chunks, most of them not as they say. */
const chunked = fc
  .tuple(forge, fc.array(chunk, { maxLength: 6 }), fc.boolean())
  .map(([name, chunks, ended]) => {
    const { head } = message(name, { 'transfer-encoding': 'chunked' }, Buffer.alloc(0))
    const sent = chunks.map(([size, separator, text]) => `${size}${separator}${text}${separator}`)
    return Buffer.from(`${head}${sent.join('')}${ended ? '0\r\n\r\n' : ''}`)
  })

/** Any bytes at all where an HTTP request should be. */
const noise = fc.oneof(
  fc.uint8Array({ maxLength: 2_000 }).map((bytes) => Buffer.from(bytes)),
  fc
    .tuple(fc.constantFrom('GET', 'PUT', 'CONNECT', 'OPTIONS', 'POST', 'FOO'), fc.string({ maxLength: 200 }))
    .map(([method, path]) => Buffer.from(`${method} /${path} HTTP/1.1\r\nhost: x\r\n\r\n`)),
)

/** A good one, with some bytes replaced. */
const flipped = fc
  .tuple(whole, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 5 }))
  .map(([bytes, flips]) => {
    const copy = Buffer.from(bytes)
    for (const [at, value] of flips) copy[at % Math.min(copy.length, 600)] = value
    return copy
  })

const any = fc.oneof(whole, wrongLength, chunked, noise, flipped)

/** One or several in a row without waiting, cut anywhere, in pieces of any size. */
const attack: fc.Arbitrary<Attack> = fc
  .record({
    requests: fc.array(any, { minLength: 1, maxLength: 4 }),
    cut: fc.option(fc.nat(), { nil: undefined, freq: 3 }),
    cuts: fc.array(fc.nat(), { maxLength: 4 }),
    hangUp: fc.constantFrom('politely' as const, 'suddenly' as const),
  })
  .map(({ requests, cut, cuts, hangUp }) => {
    const all = Buffer.concat(requests)
    const bytes = cut === undefined ? all : all.subarray(0, cut % (all.length + 1))
    const ends = [...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
    return { pieces: ends.map((end, n) => bytes.subarray(ends[n - 1] ?? 0, end)), hangUp }
  })

/** Good ones without waiting, the last of which asks for the connection to be closed. */
const pipelined: fc.Arbitrary<Attack> = fc.array(content, { minLength: 1, maxLength: 8 }).map((contents) => ({
  pieces: contents.map(({ name, body }, n) => {
    const connection = n === contents.length - 1 ? 'close' : 'keep-alive'
    const { head } = message(name, { 'content-length': String(body.length), connection }, body)
    return Buffer.concat([Buffer.from(head), body])
  }),
  hangUp: 'after the answer',
}))

test('whatever bytes arrive, in whatever pieces: documented answers, no crash, and memory stays flat', async (t) => {
  const { url, pool } = await createDatabase(t)
  const handler = await startHandler(t, { DATABASE_URL: url })
  const seen = new Map<number, number>()

  const strike = async ({ pieces, hangUp }: Attack) => {
    const client = await connectRaw(t, handler.port)
    await send(client, pieces)
    if (hangUp === 'suddenly') return client.reset()
    if (hangUp === 'politely') client.end()
    for (const { status, head, body } of responses(await client.closed())) {
      seen.set(status, (seen.get(status) ?? 0) + 1)
      // Node drops what it has not yet sent to a client that has hung up, in the middle of an answer too.
      if (hangUp === 'politely' && body.length < lengthIn(head)) assert.ok(ANSWERED.includes(status), head)
      else if (body === '') assert.ok([100, ...NOT_HTTP].includes(status), `${status} ${head}`)
      else assertDocumented(status, head, body)
    }
  }
  const fuzz = (numRuns: number, seed: number) =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 3, arbitrary: attack }, { weight: 1, arbitrary: pipelined }), {
          minLength: 1,
          maxLength: CONNECTIONS_AT_ONCE,
        }),
        async (attacks) => void (await Promise.all(attacks.map(strike))),
      ),
      { numRuns, seed },
    )

  await fuzz(Math.ceil(RUNS / 5), SEED + 1)
  const warm = memoryOf(handler.pid)
  await fuzz(RUNS, SEED)
  const after = memoryOf(handler.pid)

  assert.equal((await get(`${handler.url}/health`)).status, 200)
  assert.deepEqual(
    handler.lines.filter(({ level }) => level === 'error'),
    [],
  )
  for (const status of [202, 400, 401, 404, 431]) assert.ok(seen.get(status), `never ${status}`)
  const { rows } = await pool.query('select count(*)::int as jobs from workflow_jobs')
  assert.ok(rows[0].jobs > 0)
  if (warm !== undefined && after !== undefined) {
    assert.ok(after < 1.5 * warm + 64 * 1024 * 1024, `from ${warm} to ${after} bytes`)
  }
})

/** What the handler refuses early, it stops reading: the rest may find the connection closed. */
async function send(client: RawClient, pieces: Buffer[]): Promise<void> {
  try {
    for (const piece of pieces) await client.send(piece)
  } catch {}
}

function lengthIn(head: string): number {
  return Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
}

const EMPTY_CHUNKED = /^0\r\n\r\n$/

/** The answers on one connection. None of ours has another status line in its body. */
function responses(text: string): { status: number; head: string; body: string }[] {
  return text
    .split(/(?=HTTP\/1\.1 \d{3} )/)
    .filter((part) => part !== '')
    .map((part) => {
      const [head = '', ...rest] = part.split('\r\n\r\n')
      return {
        status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]),
        head,
        body: rest.join('\r\n\r\n').replace(EMPTY_CHUNKED, ''),
      }
    })
}

function assertDocumented(status: number, head: string, body: string) {
  assert.ok(ANSWERED.includes(status), `${head}\n${body}`)
  const told = JSON.parse(body)
  if (status === 200) return
  if (status === 202) return assert.ok(told.jobId ?? told.updated ?? told.ignored, body)
  assert.match(head, /\r\ncontent-type: application\/problem\+json\r\n/i)
  assert.match(told.code, /^[A-Z_]+$/)
  if (status === 503) assert.match(head, /\r\nretry-after: \d/i)
}

/** Of a process, as far as it is in memory; undefined where that cannot be read. */
function memoryOf(pid: number): number | undefined {
  if (process.platform !== 'linux') return undefined
  return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096
}
