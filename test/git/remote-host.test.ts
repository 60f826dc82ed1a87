import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { describe, test } from 'node:test'
import { createForges } from '../../src/forges/index.ts'
import type { KodusError } from '../../src/lib/errors.ts'
import { readGitSettings } from '../../src/lib/git/config.ts'
import { fetchRange } from '../../src/lib/git/fetch-range.ts'
import { gitFailure } from '../../src/lib/git/git-error.ts'
import { locateRepository } from '../../src/lib/git/remote.ts'
import {
  checkHosts,
  checkRemoteHost,
  type HostPolicy,
  type ResolveName,
} from '../../src/lib/git/remote-host.ts'
import { createScratch } from '../../src/lib/git/scratch.ts'
import { readConfig } from '../../src/worker/config.ts'
import { createRepository, readerFor, requestFor, temporaryDirectory } from './fixture.ts'
import { serveSmartHttp } from './smart-http-server.ts'

const { signal } = new AbortController()
const OPEN: HostPolicy = { allowedHosts: [], proxies: {} }

function remoteOf(url: string) {
  const location = locateRepository(url, ['https', 'http', 'ssh', 'git'])
  assert.ok(location.at === 'url')
  return location.remote
}

/** A name service that knows these addresses, for every name. */
function knowing(...addresses: string[]): ResolveName {
  return async () => addresses
}

const check = (host: string, policy = OPEN, resolve = knowing('203.0.113.7')) =>
  checkRemoteHost(remoteOf(`https://${host}/r`), policy, signal, resolve)

const THIS_MACHINE = [
  ...['127.0.0.1', '127.255.255.254', '0.0.0.0', '0.1.2.3', '169.254.169.254', '100.100.100.200'],
  ...['127.1', '2130706433', '0x7f000001', '0X7F.1', '017700000001', '0177.0.0.01', '0', '0xa9fea9fe'],
  ...['[::1]', '[0:0:0:0:0:0:0:1]', '[::]', '[fe80::1]', '[FEBF::1]', '[fd00:ec2::254]'],
  ...['[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[0:0:0:0:0:ffff:a9fe:a9fe]', '[64:ff9b::127.0.0.1]'],
  ...['localhost', 'LocalHost', 'a.localhost', 'A.B.LOCALHOST'],
]

describe("the worker's own machine and network link", () => {
  test('are refused in every notation, with every protocol and port', async () => {
    for (const host of THIS_MACHINE) {
      for (const protocol of ['https', 'http', 'ssh', 'git']) {
        const remote = remoteOf(`${protocol}://${host}:22/r`)
        await assert.rejects(checkRemoteHost(remote, OPEN, signal), { code: 'GIT_HOST_REFUSED' }, remote.url)
      }
    }
  })

  test('are refused behind a name, even if only one of its addresses leads there', async () => {
    const addresses = ['127.0.1.1', '169.254.1.1', '0.0.0.0', '::1', '::', 'fe80::1%eth0', '::ffff:127.0.0.1']
    for (const address of addresses) {
      const resolve = knowing('203.0.113.7', address)
      await assert.rejects(check('git.example', OPEN, resolve), { code: 'GIT_HOST_REFUSED' }, address)
    }
  })

  const own = readFileSync('/etc/hosts', 'utf8')
    .split('\n')
    .map((line) => /^(?:127\.\S+|::1)\s+(?:localhost\s+)?([a-z][\w.-]*)/.exec(line)?.[1])
    .find((name) => name && !/(?:^|\.)localhost$/.test(name))

  test("are refused behind this machine's own name, as the system resolves it", { skip: !own }, async () => {
    await assert.rejects(checkRemoteHost(remoteOf(`https://${own}/r`), OPEN, signal), {
      code: 'GIT_HOST_REFUSED',
    })
  })

  test('are not connected to, and the refusal does not say what is there', async (t) => {
    let connections = 0
    const server = createServer((socket) => {
      connections++
      socket.end('SSH-2.0-secret-banner\r\n')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    const { port } = server.address() as AddressInfo
    const reader = readerFor(t, { allowedProtocols: ['http', 'ssh', 'git'] })
    const messages: string[] = []
    for (const address of [port, 1]) {
      for (const protocol of ['https', 'http', 'ssh', 'git']) {
        const opening = reader.open(`${protocol}://127.0.0.1:${address}/r`, 'main', 'topic')
        await assert.rejects(opening, (error: KodusError) => {
          assert.equal(error.code, 'GIT_HOST_REFUSED')
          assert.equal(error.retryability, 'permanent')
          messages.push(error.message)
          return true
        })
      }
    }
    assert.equal(connections, 0)
    assert.equal(new Set(messages).size, 1)
  })

  test('a peer that is no git server is not quoted', async (t) => {
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.end('SSH-2.0-secret-banner\r\n')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => server.close())
    const { port } = server.address() as AddressInfo
    const reader = readerFor(t, { allowedProtocols: ['http', 'git'], allowedHosts: ['127.0.0.1'] })
    for (const protocol of ['https', 'http', 'git']) {
      await assert.rejects(
        reader.open(`${protocol}://127.0.0.1:${port}/r`, 'main', 'topic'),
        (error: KodusError) => {
          assert.match(error.code, /^GIT_(UNREACHABLE|FAILED)$/)
          assert.doesNotMatch(`${error.message} ${error.help}`, /SSH|banner|HTTP|TLS|127\.0/i)
          assert.ok(error.cause instanceof Error, 'the log has the reason')
          return true
        },
      )
    }
  })
})

describe('other hosts', () => {
  test('private networks and public addresses are read', async () => {
    const hosts = [
      '10.0.0.1',
      '172.16.0.1',
      '192.168.1.1',
      '[fc00::1]',
      '[fd12::1]',
      '8.8.8.8',
      '[2001:db8::1]',
    ]
    for (const host of hosts) assert.equal(await check(host), undefined, host)
    for (const address of ['10.0.0.1', '192.168.1.1', 'fd12::1', '203.0.113.7']) {
      assert.deepEqual(await check('git.example', OPEN, knowing(address)), [address])
    }
    assert.deepEqual(await check('localhost.example'), ['203.0.113.7'])
  })

  test('a name nobody knows is left to the proxy, if the protocol has one', async () => {
    const nobody = () => Promise.reject(new Error('ENOTFOUND'))
    const proxied = { allowedHosts: [], proxies: { all_proxy: 'http://proxy.example' } }
    assert.equal(await check('git.example', proxied, nobody), undefined)
    await assert.rejects(check('git.example', OPEN, nobody), { code: 'GIT_UNREACHABLE' })
    const ssh = remoteOf('ssh://git.example/r')
    await assert.rejects(checkRemoteHost(ssh, proxied, signal, nobody), { code: 'GIT_UNREACHABLE' })
  })

  test('an aborted signal ends the check with its reason', async () => {
    const cancelled = new AbortController()
    const reason = new Error('cancelled')
    const resolve = async () => {
      cancelled.abort(reason)
      return ['203.0.113.7']
    }
    await assert.rejects(
      checkRemoteHost(remoteOf('https://git.example/r'), OPEN, cancelled.signal, resolve),
      reason,
    )
  })

  test('the connection is held to the addresses that were checked', async (t) => {
    const root = temporaryDirectory(t)
    const repository = createRepository(`${root}/r.git`, { bare: true })
    const base = repository.commit('main', { a: '1\n' })
    const head = repository.commit('topic', { a: '2\n' }, base)
    const { port } = new URL(await serveSmartHttp(t, { root }))
    const scratch = await createScratch({ ...readGitSettings(), scratchRoot: root }, signal)
    // No name service knows this name: only what was checked can lead to the server.
    const remote = remoteOf(`http://Pinned.invalid:${port}/r.git`)
    const names = { base: 'main', head: 'topic' }
    await scratch.init('sha1', signal)
    const range = await fetchRange(scratch, { remote, addresses: ['::1', '127.0.0.1'] }, names, signal)
    assert.deepEqual([range.base, range.head], [base, head])
  })
})

describe('with a list of allowed hosts', () => {
  const policy = { allowedHosts: checkHosts(['Git.Example', '127.0.0.1', '::1']), proxies: {} }

  test('these are read, whatever their address, and no other', async () => {
    for (const host of ['git.example', 'GIT.EXAMPLE', '127.0.0.1', '0x7f.1', '[::1]', '[0:0::1]']) {
      assert.equal(await check(host, policy, knowing('127.0.0.1')), undefined, host)
    }
    for (const host of [
      'example',
      'a.git.example',
      'git.example.org',
      '127.0.0.2',
      '10.0.0.1',
      'localhost',
    ]) {
      await assert.rejects(check(host, policy), { code: 'GIT_HOST_REFUSED' }, host)
    }
  })

  test('GIT_ALLOWED_HOSTS is that list', async () => {
    const env = {
      PATH: process.env.PATH,
      DATABASE_URL: 'postgres://x@localhost/x',
      GIT_ALLOWED_HOSTS: ' git.example, 10.0.0.1 ,',
    }
    const config = readConfig(env)
    assert.deepEqual(config.gitAllowedHosts, ['git.example', '10.0.0.1'])
    const request = requestFor('https://other.example/r', 'main', 'topic')
    await assert.rejects(
      createForges({ ...config, github: undefined }).git?.reader.open(request, signal) ?? Promise.resolve(),
      {
        code: 'GIT_HOST_REFUSED',
        message: /not among the hosts/,
      },
    )
    assert.deepEqual(readConfig({ ...env, GIT_ALLOWED_HOSTS: undefined }).gitAllowedHosts, [])
  })

  test('an entry that is no plain host stops the start', () => {
    for (const entry of [
      'https://git.example',
      'git.example:443',
      'git.example/x',
      '*.example',
      'a@b',
      '',
      '[x',
    ]) {
      assert.throws(() => checkHosts([entry]), { code: 'CONFIG_INVALID' }, entry)
    }
  })
})

test('what git said is cut between characters, never within one', () => {
  const { message } = gitFailure('log', `x${'\u{1f600}'.repeat(500)}`)
  assert.match(message, /\u{1f600} …$/u)
  assert.ok(message.isWellFormed())
})
