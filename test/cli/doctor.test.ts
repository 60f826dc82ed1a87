import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { createDatabase } from '../support/database.ts'
import { kodus } from '../support/kodus.ts'
import { answers, fails, startLlmServer } from '../support/llm-server.ts'

test('a good installation has nothing to repair', async (t) => {
  const { url } = await createDatabase(t)
  const llm = await startLlmServer(answers({ ok: true }))
  t.after(() => llm.close())
  const { code, stdout } = await kodus(['doctor'], {
    DATABASE_URL: url,
    LLM_BASE_URL: llm.baseUrl,
    LLM_MODEL: 'fake',
  })
  assert.equal(code, 0, stdout)
  assert.match(stdout, /✓ database +PostgreSQL 18/)
  assert.match(stdout, /✓ model/)
  assert.match(stdout, /Nothing to do/)
})

test('what is broken is named, each with what to do, and the exit code is 1', async (t) => {
  const llm = await startLlmServer(fails(401, { message: 'no' }))
  t.after(() => llm.close())
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-doctor-'))
  t.after(() => rmSync(directory, { recursive: true }))
  writeFileSync(path.join(directory, 'env'), 'X=1\n')
  chmodSync(path.join(directory, 'env'), 0o644)
  const { code, stdout } = await kodus(['doctor'], {
    DATABASE_URL: 'postgresql://127.0.0.1:1/none',
    RABBITMQ_URL: 'amqp://127.0.0.1:1',
    LLM_BASE_URL: llm.baseUrl,
    LLM_MODEL: 'fake',
    LLM_API_KEY: 'sk-of-this-test',
    KODUS_DIRECTORY: directory,
  })
  assert.equal(code, 1)
  for (const part of [
    'DATABASE_UNAVAILABLE',
    'QUEUE_UNAVAILABLE',
    'MODEL_UNAUTHORIZED',
    'SECRETS_READABLE',
    '4 to repair',
  ]) {
    assert.ok(stdout.includes(part), `${part}:\n${stdout}`)
  }
  assert.equal(stdout.includes('sk-of-this-test'), false)
})
