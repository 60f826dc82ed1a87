import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, beforeEach, test } from 'node:test'
import { inspect } from 'node:util'
import { KodusError } from '../../src/lib/errors.ts'
import type { ModelRequest } from '../../src/models/model.ts'
import { createOpenAiCompatibleModel } from '../../src/models/openai-compatible.ts'
import {
  answers,
  breaksOff,
  choosesNothing,
  fails,
  hangs,
  hangsUp,
  says,
  sends,
  startLlmServer,
  understanding,
} from '../support/llm-server.ts'

const KEY = 'sk-test-0123456789abcdef'
const SCHEMA = {
  type: 'object',
  properties: { ok: { type: 'boolean' } },
  required: ['ok'],
  additionalProperties: false,
}

const server = await startLlmServer()
after(() => server.close())
beforeEach(() => {
  server.requests.length = 0
  server.behave(answers({ ok: true }))
})

const newModel = (options: { timeoutMs?: number; apiKey?: string } = {}) =>
  createOpenAiCompatibleModel({ baseUrl: server.baseUrl, model: 'fake', apiKey: KEY, ...options })

const request = (rest: Partial<ModelRequest> = {}): ModelRequest => ({
  system: 'You answer.',
  prompt: 'Are you well?',
  schema: SCHEMA,
  schemaName: 'wellbeing',
  signal: new AbortController().signal,
  ...rest,
})

async function failure(answer: Promise<unknown>): Promise<KodusError> {
  const error = await answer.then(
    () => assert.fail('it answered'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof KodusError, inspect(error))
  assert.ok(error.help.length > 20, 'it says what to do')
  assert.ok(!inspect(error, { depth: 10 }).includes(KEY), 'the key is nowhere in the error')
  return error
}

test('an answer is parsed JSON with the tokens that the endpoint counted', async () => {
  const { value, inputTokens, outputTokens } = await newModel().answer(request())
  assert.deepEqual(value, { ok: true })
  assert.ok(inputTokens > 0 && outputTokens > 0)
})

test('the request carries both messages, the key, the model and a strict schema', async () => {
  await newModel().answer(request({ maxOutputTokens: 500 }))
  const [sent] = server.requests
  assert.ok(sent)
  assert.equal(sent.headers.authorization, `Bearer ${KEY}`)
  assert.equal(sent.body.model, 'fake')
  assert.ok(sent.system.startsWith('You answer.'))
  assert.equal(sent.prompt, 'Are you well?')
  assert.equal(sent.body.max_tokens, 500)
  assert.deepEqual(sent.body.response_format, {
    type: 'json_schema',
    json_schema: { name: 'wellbeing', strict: true, schema: SCHEMA },
  })
})

test("without a key no key is sent, least of all another endpoint's from OPENAI_API_KEY", async () => {
  const before = process.env.OPENAI_API_KEY
  process.env.OPENAI_API_KEY = 'sk-somebody-elses'
  try {
    await createOpenAiCompatibleModel({ baseUrl: server.baseUrl, model: 'fake' }).answer(request())
  } finally {
    if (before === undefined) delete process.env.OPENAI_API_KEY
    else process.env.OPENAI_API_KEY = before
  }
  assert.equal(server.requests[0]?.headers.authorization, undefined)
})

test('a server that knows json_object only is asked in that form, and from then on at once', async () => {
  const model = newModel()
  server.behave(understanding(['json_object', 'text'], answers({ ok: true })))
  await model.answer(request())
  await model.answer(request())
  const forms = server.requests.map(({ body }) => body.response_format?.type ?? 'text')
  assert.deepEqual(forms, ['json_schema', 'json_object', 'json_object'])
  assert.ok(server.requests[1]?.system.includes(JSON.stringify(SCHEMA)), 'the schema is in the prompt')
})

test('a server that refuses every response_format is asked in plain text', async () => {
  const model = newModel()
  server.behave(understanding(['text'], says('Of course!\n```json\n{"ok": true}\n```\nAnything else?')))
  assert.deepEqual((await model.answer(request())).value, { ok: true })
  assert.deepEqual((await model.answer(request())).value, { ok: true })
  assert.equal(server.requests.length, 4)
  assert.equal(server.requests[3]?.body.response_format, undefined)
})

test('a fallback that did not help is not remembered', async () => {
  const model = newModel()
  server.behave(fails(400, { message: 'response_format is not to my taste' }))
  assert.equal((await failure(model.answer(request()))).code, 'MODEL_REQUEST_REFUSED')
  assert.equal(server.requests.length, 3)
  server.behave(answers({ ok: true }))
  await model.answer(request())
  assert.equal(server.requests[3]?.body.response_format?.type, 'json_schema')
})

test('a model that wants max_completion_tokens gets it', async () => {
  const message =
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
  server.behave(fails(400, { message, code: 'unsupported_parameter' }), answers({ ok: true }))
  await newModel().answer(request({ maxOutputTokens: 500 }))
  assert.equal(server.requests[1]?.body.max_completion_tokens, 500)
  assert.equal(server.requests[1]?.body.max_tokens, undefined)
})

for (const [name, content] of [
  ['prose around it', 'Here { is } what I found: {"ok": true}. Take [care]!'],
  ['a fence', '```json\n{"ok": true}\n```'],
  ['reasoning before it', '<think>maybe {"ok": false, "why": "a long thought"} …</think>\n{"ok": true}'],
  ['braces in its strings', 'Sure: {"ok": true, "note": "} ] \\" {"}'],
] as const) {
  test(`JSON with ${name} is found`, async () => {
    server.behave(says(content))
    const { value } = await newModel().answer(request())
    assert.equal((value as { ok: boolean }).ok, true)
  })
}

const REFUSALS = [
  { status: 401, code: 'MODEL_UNAUTHORIZED', retryability: 'permanent', names: /LLM_API_KEY/ },
  { status: 403, code: 'MODEL_UNAUTHORIZED', retryability: 'permanent', names: /LLM_API_KEY/ },
  { status: 402, code: 'MODEL_QUOTA_EXHAUSTED', retryability: 'permanent', names: /LLM_API_KEY/ },
  { status: 404, code: 'MODEL_UNKNOWN', retryability: 'permanent', names: /LLM_MODEL.*LLM_BASE_URL/s },
  { status: 400, code: 'MODEL_REQUEST_REFUSED', retryability: 'permanent', names: /LLM_BASE_URL/ },
  { status: 413, code: 'MODEL_CONTEXT_EXCEEDED', retryability: 'permanent', names: /LLM_MODEL/ },
  { status: 429, code: 'MODEL_RATE_LIMITED', retryability: 'transient', names: /LLM_API_KEY/ },
  { status: 500, code: 'MODEL_UNAVAILABLE', retryability: 'transient', names: /LLM_BASE_URL/ },
  { status: 503, code: 'MODEL_UNAVAILABLE', retryability: 'transient', names: /LLM_BASE_URL/ },
] as const

for (const { status, code, retryability, names } of REFUSALS) {
  test(`${status} is ${code}, ${retryability}, asked once, without the key`, async () => {
    server.behave(fails(status, { message: `no: ${KEY} \u001b[31m` }))
    const error = await failure(newModel().answer(request()))
    assert.deepEqual([error.code, error.retryability], [code, retryability])
    assert.match(error.help, names)
    assert.ok(!error.message.includes('\u001b'))
    assert.equal(server.requests.length, 1, 'the job has the one retry budget')
  })
}

for (const [who, status, error] of [
  [
    'OpenAI',
    400,
    { code: 'context_length_exceeded', message: "This model's maximum context length is 8192 tokens." },
  ],
  ['llama.cpp', 400, { message: 'the request exceeds the available context size, try increasing it' }],
  ['Anthropic', 400, { message: 'prompt is too long: 210000 tokens > 200000 maximum' }],
] as const) {
  test(`a request too large for the context is MODEL_CONTEXT_EXCEEDED, as ${who} says it`, async () => {
    server.behave(fails(status, error))
    assert.equal((await failure(newModel().answer(request()))).code, 'MODEL_CONTEXT_EXCEEDED')
  })
}

for (const status of [301, 302, 307, 308]) {
  test(`a ${status} is MODEL_REDIRECTED: nothing goes to the address it names, and LLM_BASE_URL is what to change`, async (t) => {
    const elsewhere = await startLlmServer(answers({ ok: true }))
    t.after(() => elsewhere.close())
    const location = `${elsewhere.baseUrl}/chat/completions?token=hunter2`
    server.behave((_, response) => void response.writeHead(status, { location }).end())
    const error = await failure(newModel().answer(request()))
    assert.deepEqual([error.code, error.retryability], ['MODEL_REDIRECTED', 'permanent'])
    assert.match(error.help, /LLM_BASE_URL/)
    assert.ok(error.message.includes(`${elsewhere.baseUrl}/chat/completions (${status})`), error.message)
    assert.equal(elsewhere.requests.length, 0)
    assert.equal(server.requests.length, 1)
  })
}

test("an endpoint's words are cut between characters", async () => {
  for (const shift of ['', 'x']) {
    server.behave(fails(400, { message: shift + '\u{1f600}'.repeat(400) }))
    const { message } = await failure(newModel().answer(request()))
    assert.ok(message.includes('\u{1f600}') && message.length < 500)
    assert.doesNotMatch(message, /\p{Cs}|\ufffd/u)
  }
})

test('a 429 for an empty account is not tried again', async () => {
  server.behave(fails(429, { code: 'insufficient_quota', message: 'You exceeded your current quota' }))
  const error = await failure(newModel().answer(request()))
  assert.deepEqual([error.code, error.retryability], ['MODEL_QUOTA_EXHAUSTED', 'permanent'])
})

for (const [headers, expected] of [
  [{ 'retry-after': '7' }, 7_000],
  [{ 'retry-after-ms': '1500', 'retry-after': '7' }, 1_500],
  [{ 'x-ratelimit-reset-requests': '20ms', 'x-ratelimit-reset-tokens': '6m0s' }, 360_000],
  [{ 'retry-after': '999999' }, 3_600_000],
  [{ 'retry-after': 'soon' }, undefined],
] as const) {
  test(`a 429 with ${JSON.stringify(headers)} is to be tried after ${expected ?? 'a time of our own choosing'}`, async () => {
    server.behave(fails(429, {}, headers))
    assert.equal((await failure(newModel().answer(request()))).retryAfterMs, expected)
  })
}

test('a Retry-After that is a date is milliseconds from now', async () => {
  server.behave(fails(503, {}, { 'retry-after': new Date(Date.now() + 600_000).toUTCString() }))
  const wait = (await failure(newModel().answer(request()))).retryAfterMs ?? 0
  assert.ok(wait > 300_000 && wait <= 600_000, String(wait))
})

for (const [what, behaviour] of [
  [
    'an answer cut at its length limit',
    says('{"ok": true, "findings": [{"a": 1}', { finish_reason: 'length' }),
  ],
  ['an answer cut off in the middle of its JSON', says('{"ok": tr')],
  ['prose', says('I could not find anything wrong.')],
  ['an empty answer', says('')],
  ['no content', says(null)],
  ['a refusal', says('{"ok": true}', { refusal: 'I cannot help with that.' })],
  ["a content filter's cut", says('', { finish_reason: 'content_filter' })],
  ['no choices', choosesNothing],
  ['nothing but braces', says('{'.repeat(200_000))],
] as const) {
  test(`${what} is MODEL_ANSWER_UNUSABLE`, async () => {
    server.behave(behaviour)
    assert.equal((await failure(newModel().answer(request()))).code, 'MODEL_ANSWER_UNUSABLE')
  })
}

for (const [what, behaviour] of [
  ['a connection reset in the middle of the body', breaksOff],
  ['a connection closed without an answer', hangsUp],
  ['a body that is cut JSON', sends('{"id": "chatcmpl-1", "choices": [')],
] as const) {
  test(`${what} is MODEL_UNAVAILABLE and transient`, async () => {
    server.behave(behaviour)
    const error = await failure(newModel().answer(request()))
    assert.deepEqual([error.code, error.retryability], ['MODEL_UNAVAILABLE', 'transient'])
  })
}

test('an answer that begins and never ends is given up at the timeout', { timeout: 20_000 }, async () => {
  server.behave(hangs)
  const error = await failure(newModel({ timeoutMs: 200 }).answer(request()))
  assert.deepEqual([error.code, error.retryability], ['MODEL_UNAVAILABLE', 'transient'])
  assert.match(error.message, /within 0\.2 s/)
})

test("an aborted request fails with the signal's own reason", async () => {
  const controller = new AbortController()
  const reason = new KodusError('WORKER_STOPS', 'stopping', { help: 'none needed' })
  server.behave((sent, response) => {
    hangs(sent, response)
    controller.abort(reason)
  })
  await assert.rejects(newModel().answer(request({ signal: controller.signal })), reason)
})

test('nobody listening is MODEL_UNAVAILABLE and names the address, not the key', async () => {
  const unused = createServer().listen(0, '127.0.0.1')
  await once(unused, 'listening')
  const { port } = unused.address() as AddressInfo
  unused.close()
  await once(unused, 'close')
  const baseUrl = `http://127.0.0.1:${port}/v1`
  const error = await failure(
    createOpenAiCompatibleModel({ baseUrl, model: 'fake', apiKey: KEY }).answer(request()),
  )
  assert.equal(error.code, 'MODEL_UNAVAILABLE')
  assert.ok(error.message.includes(baseUrl) && error.message.includes('ECONNREFUSED'), error.message)
})

test('a web page where the endpoint should be is MODEL_UNKNOWN and names LLM_BASE_URL', async () => {
  server.behave(sends('<html>Welcome</html>', 'text/html'))
  const error = await failure(newModel().answer(request()))
  assert.equal(error.code, 'MODEL_UNKNOWN')
  assert.match(error.help, /LLM_BASE_URL/)
})

test('an error in the body of a 200 is the error it says it is', async () => {
  server.behave(sends(JSON.stringify({ error: { message: 'Provider returned error', code: 429 } })))
  const error = await failure(newModel().answer(request()))
  assert.deepEqual([error.code, error.retryability], ['MODEL_RATE_LIMITED', 'transient'])
})

for (const [what, options] of [
  ['no URL', { baseUrl: 'localhost' }],
  ['another protocol', { baseUrl: 'file:///etc' }],
  ['a URL with credentials', { baseUrl: 'https://me:hunter2@example.com/v1' }],
  ['a key that HTTP cannot carry', { baseUrl: 'https://example.com/v1', apiKey: 'sk–secret' }],
] as const) {
  test(`${what} is refused before anything is sent, without repeating it`, () => {
    assert.throws(
      () => createOpenAiCompatibleModel({ model: 'fake', ...options }),
      (error: unknown) =>
        error instanceof KodusError &&
        error.code === 'CONFIG_INVALID' &&
        !/hunter2|sk–secret/.test(inspect(error)) &&
        /LLM_/.test(error.help),
    )
  })
}
