import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KodusError } from '../../src/lib/errors.ts'
import { readGitSettings } from '../../src/lib/git/config.ts'
import { createRepository, readerFor, temporaryDirectory } from './fixture.ts'
import { type SmartHttpOptions, serveSmartHttp } from './smart-http-server.ts'

const HTTP = { allowedProtocols: ['http'], allowedHosts: ['127.0.0.1'] }
const TOKEN = 'kodus-test-token-5f1c9a'

/** A served repository with a change from `main` to `topic`. */
async function served(t: TestContext, options: Partial<SmartHttpOptions> = {}) {
  const root = temporaryDirectory(t)
  const repository = createRepository(join(root, 'r.git'), { bare: true })
  const base = repository.commit('main', { a: '1\n' })
  const head = repository.commit('topic', { a: '2\n' }, base)
  const origin = await serveSmartHttp(t, { root, ...options })
  return { repository, base, head, origin, url: `${origin}/r.git` }
}

/** A TCP server that does with a connection what it is told to. @returns its port */
async function listen(
  t: TestContext,
  onConnection: (socket: import('node:net').Socket) => void,
): Promise<number> {
  const server = createServer((socket) => {
    t.after(() => socket.destroy())
    socket.on('error', () => {})
    onConnection(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

describe('reading from a server', () => {
  test('by branch and by commit id, fetching base and head and nothing else', async (t) => {
    const { repository, base, head, url } = await served(t)
    repository.commit('unrelated', { secret: 'x\n' })
    repository.git('tag', '-a', '-m', 'x', 'v1', head)
    for (const [baseName, headName] of [
      ['main', 'topic'],
      [base, head],
      ['refs/heads/main', 'v1'],
    ] as const) {
      const reader = readerFor(t, HTTP)
      const open = await reader.open(url, baseName, headName)
      assert.deepEqual([open.change.base, open.change.head, open.change.mergeBase], [base, head, base])
      assert.equal(await open.readFile('head', 'a'), '2\n')
      assert.equal(await open.readFile('base', 'a'), '1\n')
      const gitDir = join(reader.scratchRoot, readdirSync(reader.scratchRoot)[0] ?? '', 'repository.git')
      const refs = readdirSync(join(gitDir, 'refs'), { recursive: true, withFileTypes: true })
      assert.deepEqual(
        refs.filter((entry) => entry.isFile()).map(({ name }) => name),
        ['base', 'head'],
      )
      assert.ok(!existsSync(join(gitDir, 'FETCH_HEAD')))
    }
  })

  test('a long history is deepened only until the merge base is certain', async (t) => {
    const { repository, base, url } = await served(t)
    let tip = base
    for (let n = 0; n < 60; n++) tip = repository.commit('topic', { a: `${n}\n` }, tip)
    const requests: string[] = []
    const counting = await serveSmartHttp(t, {
      root: join(repository.path, '..'),
      intercept: ({ method, url: path = '' }) => {
        requests.push(`${method} ${path}`)
        return false
      },
    })
    const { change } = await readerFor(t, HTTP).open(`${counting}/r.git`, 'main', 'topic')
    assert.equal(change.mergeBase, base)
    const rounds = requests.filter((request) => request.includes('info/refs')).length
    assert.equal(rounds, 2, '50 commits do not reach the merge base, 1000 do')
    assert.ok(url)
  })

  test('a merge base is not guessed from a history that was cut off', async (t) => {
    const { repository, base, url } = await served(t)
    // 70 commits on both sides: at a depth of 50 nothing is in common. Beside them a merge of an old commit
    // into both tips, which at that depth looks like the merge base and is not.
    const old = repository.commit('old', { old: 'x\n' })
    const shared = repository.git('commit-tree', '-p', base, '-p', old, '-m', 'x', `${base}^{tree}`)
    const side = (name: string) => {
      let tip = shared
      for (let n = 0; n < 70; n++) tip = repository.commit(name, { a: '1\n', [name]: `${n}\n` }, tip)
      const merge = repository.git('commit-tree', '-p', tip, '-p', old, '-m', 'x', `${tip}^{tree}`)
      repository.git('update-ref', `refs/heads/${name}`, merge)
    }
    side('left')
    side('right')
    const { change } = await readerFor(t, HTTP).open(url, 'left', 'right')
    assert.equal(change.mergeBase, shared)
    assert.deepEqual(
      change.files.map(({ path }) => path),
      ['right'],
    )
  })

  test('unrelated histories and missing refs are told apart, and are permanent', async (t) => {
    const { repository, url } = await served(t)
    repository.commit('unrelated', { a: 'x\n' })
    const reader = readerFor(t, HTTP)
    const fails = (head: string, code: string) =>
      assert.rejects(reader.open(url, 'main', head), { code, retryability: 'permanent' })
    await fails('unrelated', 'GIT_NO_MERGE_BASE')
    await fails('nowhere', 'GIT_REF_NOT_FOUND')
    await fails('e'.repeat(40), 'GIT_REF_NOT_FOUND')
  })

  test('what the server says is for the log: short, in one line and without control characters', async (t) => {
    const port = await listen(t, (socket) => {
      const said = `ERR \u001b[31mred\u001b]0;title\u0007 ${'long '.repeat(500)}\n`
      const line = `${(said.length + 4).toString(16).padStart(4, '0')}${said}`
      const head = 'HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\n'
      socket.end(`${head}Connection: close\r\n\r\n001e# service=git-upload-pack\n0000${line}`)
    })
    await assert.rejects(
      readerFor(t, HTTP).open(`http://127.0.0.1:${port}/r`, 'main', 'topic'),
      (error: KodusError) => {
        assert.doesNotMatch(`${error.message} ${error.help}`, /red|long/)
        const { message } = error.cause as Error
        assert.match(message, /red/)
        assert.doesNotMatch(message, /\p{Cc}/u)
        assert.ok(message.length < 600)
        return true
      },
    )
  })
})

describe('a server cannot take more than its limits', () => {
  test('a pack of 100 MB over the limit is not taken', async (t) => {
    const { repository, base, url } = await served(t)
    repository.git('config', 'core.compression', '0')
    repository.commit('topic', { a: randomBytes(100 * 1000 ** 2) }, base)
    const reader = readerFor(t, { ...HTTP, limits: { fileBytes: 10 * 1000 ** 2 } })
    await assert.rejects(reader.open(url, 'main', 'topic'), {
      code: 'GIT_TOO_LARGE',
      retryability: 'permanent',
    })
    // Without the limit it is taken: the limit is what refused it.
    const { change } = await readerFor(t, HTTP).open(url, 'main', 'topic')
    assert.equal(change.files[0]?.kind, 'binary')
  })

  test('a server that accepts and never answers is left after the time limit', async (t) => {
    let closed: Promise<void> | undefined
    const port = await listen(t, (socket) => {
      closed = new Promise((resolve) => socket.once('close', () => resolve()))
      socket.resume()
    })
    const reader = readerFor(t, { ...HTTP, limits: { networkMs: 2000 } })
    await assert.rejects(reader.open(`http://127.0.0.1:${port}/r`, 'main', 'topic'), {
      code: 'GIT_TIMEOUT',
      retryability: 'transient',
    })
    assert.ok(closed, 'it had connected')
    await closed
  })

  test('aborting ends every process of the fetch, remote helper included', async (t) => {
    const cancelled = new AbortController()
    const reason = new Error('cancelled')
    let closed: Promise<void> | undefined
    const port = await listen(t, (socket) => {
      closed = new Promise((resolve) => socket.once('close', () => resolve()))
      socket.once('data', () => cancelled.abort(reason))
    })
    const url = `http://127.0.0.1:${port}/r`
    await assert.rejects(readerFor(t, HTTP).open(url, 'main', 'topic', cancelled.signal), reason)
    // The helper holds the connection: it is closed when, and only when, the helper is gone. Who started it was killed
    // together with it, and goes a moment later.
    await closed
    while (commandLines().some((line) => line.includes(url))) await sleep(10)
  })
})

describe('a failure says whether trying again can help', () => {
  const cases: [name: string, status: number, code: string, retryability: string][] = [
    ['not found', 404, 'GIT_NOT_FOUND', 'permanent'],
    ['forbidden', 403, 'GIT_ACCESS_DENIED', 'permanent'],
    ['login wanted', 401, 'GIT_ACCESS_DENIED', 'permanent'],
    ['too many requests', 429, 'GIT_UNREACHABLE', 'transient'],
    ['a server error', 503, 'GIT_UNREACHABLE', 'transient'],
  ]
  for (const [name, status, code, retryability] of cases) {
    test(`${name}: ${code}`, async (t) => {
      const { url } = await served(t, {
        intercept: (_, response) => {
          response
            .writeHead(status, status === 401 ? { 'www-authenticate': 'Basic realm="x"' } : {})
            .end('no')
          return true
        },
      })
      await assert.rejects(readerFor(t, HTTP).open(url, 'main', 'topic'), { code, retryability })
    })
  }

  test('nobody listens, nobody of that name, a connection that breaks off', async (t) => {
    const port = await listen(t, (socket) => socket.destroy())
    const cases = [
      [`http://127.0.0.1:${port}/r`, HTTP],
      ['http://127.0.0.1:1/r', HTTP],
      ['http://host.invalid/r', { ...HTTP, allowedHosts: ['host.invalid'] }],
      ['http://host.invalid/r', { allowedProtocols: ['http'] }],
    ] as const
    const messages: string[] = []
    for (const [url, options] of cases) {
      await assert.rejects(readerFor(t, options).open(url, 'main', 'topic'), (error: KodusError) => {
        assert.deepEqual([error.code, error.retryability], ['GIT_UNREACHABLE', 'transient'], url)
        messages.push(`${error.message} ${error.help}`)
        return true
      })
    }
    assert.equal(new Set(messages).size, 1, 'they cannot be told apart by what the API shows')
  })

  test('a web page that is no repository', async (t) => {
    const { origin } = await served(t, {
      intercept: (_, response) => {
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')
        return true
      },
    })
    await assert.rejects(readerFor(t, HTTP).open(`${origin}/page`, 'main', 'topic'), {
      code: 'GIT_REF_NOT_FOUND',
      help: /^Check the address/,
    })
  })

  test('a web server that offers the files of a repository: its alternates could name any host', async (t) => {
    const { repository, url } = await served(t, {
      intercept: ({ url: path = '' }, response) => {
        response.end(readFileSync(join(repository.path, path.replace(/^\/r\.git|\?.*$/g, ''))))
        return true
      },
    })
    repository.git('update-server-info')
    await assert.rejects(readerFor(t, HTTP).open(url, 'main', 'topic'), { code: 'GIT_NOT_FOUND' })
  })
})

test('a redirect is not followed, to another host or the same', async (t) => {
  const visited: string[] = []
  const target = await served(t, {
    intercept: ({ url = '' }) => {
      visited.push(url)
      return false
    },
  })
  const { origin } = await served(t, {
    intercept: ({ url = '' }, response) => {
      if (!url.startsWith('/moved')) return false
      const to = url.startsWith('/moved-here') ? '' : target.origin
      response.writeHead(302, { location: `${to}${url.replace(/^\/moved(-here)?/, '/r.git')}` }).end()
      return true
    },
  })
  const reader = readerFor(t, { ...HTTP, credentials: [{ origin, token: TOKEN }] })
  for (const path of ['moved', 'moved-here']) {
    await assert.rejects(reader.open(`${origin}/${path}`, 'main', 'topic'), { code: 'GIT_REDIRECTED' })
  }
  assert.deepEqual(visited, [])
})

describe('a token', () => {
  test('is used, and stands in no command line and no file', {
    skip: !existsSync('/proc/self'),
  }, async (t) => {
    const seen: { lines: string[]; files: string[] }[] = []
    const { url, origin } = await served(t, {
      basicAuth: `x-access-token:${TOKEN}`,
      intercept: ({ headers }) => {
        // While git waits for our answer to a request that carried the token.
        if (headers.authorization) seen.push({ lines: commandLines(), files: filesBelow(reader.scratchRoot) })
        return false
      },
    })
    const reader = readerFor(t, { ...HTTP, credentials: [{ origin, token: TOKEN }] })
    const open = await reader.open(url, 'main', 'topic')
    assert.equal(await open.readFile('head', 'a'), '2\n')

    const secrets = [TOKEN, Buffer.from(`x-access-token:${TOKEN}`).toString('base64')]
    const lines = seen.flatMap((moment) => moment.lines)
    const files = [...seen.flatMap((moment) => moment.files), ...filesBelow(reader.scratchRoot)]
    assert.ok(
      lines.some((line) => line.includes('git-remote-http') && line.includes(url)),
      'the scan sees git',
    )
    assert.ok(
      files.some((content) => content.includes('[core]')),
      "the scan sees the scratch repository's config",
    )
    for (const secret of secrets) {
      assert.deepEqual(
        lines.filter((line) => line.includes(secret)),
        [],
      )
      assert.deepEqual(
        files.filter((content) => content.includes(secret)),
        [],
      )
    }
  })

  test('is not offered to any other origin', async (t) => {
    const asked: (string | undefined)[] = []
    const intercept = ({ headers }: IncomingMessage) => {
      asked.push(headers.authorization)
      return false
    }
    const { url, origin } = await served(t, { basicAuth: `x-access-token:${TOKEN}`, intercept })
    const others = [origin.replace('127.0.0.1', 'localhost'), origin.replace('http:', 'https:'), `${origin}0`]
    const credentials = others.map((other) => ({ origin: other, token: TOKEN }))
    await assert.rejects(readerFor(t, { ...HTTP, credentials }).open(url, 'main', 'topic'), {
      code: 'GIT_ACCESS_DENIED',
    })
    assert.deepEqual([...new Set(asked)], [undefined])
  })

  test('that is refused is not in the message, even if the server repeats it', async (t) => {
    const { url, origin } = await served(t, {
      intercept: ({ headers }, response) => {
        const echo = `denied: ${headers.authorization} ${TOKEN}\n`
        const status = headers.authorization ? 403 : 401
        response
          .writeHead(status, { 'www-authenticate': 'Basic realm="x"', 'content-type': 'text/plain' })
          .end(echo)
        return true
      },
    })
    const reader = readerFor(t, { ...HTTP, credentials: [{ origin, token: TOKEN }] })
    await assert.rejects(reader.open(url, 'main', 'topic'), (error: KodusError) => {
      assert.equal(error.code, 'GIT_ACCESS_DENIED')
      const shown = `${error.message} ${(error.cause as Error).message}`
      assert.match(shown, /\[secret\]/, 'the server did repeat it')
      assert.ok(!shown.includes(TOKEN))
      assert.ok(!shown.includes(Buffer.from(`x-access-token:${TOKEN}`).toString('base64')))
      return true
    })
  })
})

test('ssh asks nobody anything, forwards nothing, and is given the address as one word', async (t) => {
  const { repository, base, head } = await served(t)
  const bin = temporaryDirectory(t)
  const log = join(bin, 'arguments')
  // Stands in for ssh and the account at its other end; what is spoken over it is git's own.
  const script = `#!/bin/sh\nfor last; do echo "$last" >> ${log}; done\nexec sh -c "$last"\n`
  writeFileSync(join(bin, 'ssh'), script, { mode: 0o755 })
  const settings = { ...readGitSettings(), searchPath: `${bin}:${process.env.PATH}` }
  const reader = readerFor(t, { allowedProtocols: ['ssh'], allowedHosts: ['host.invalid'], settings })
  const { change } = await reader.open(`ssh://git@host.invalid:2222${repository.path}`, 'main', 'topic')
  assert.deepEqual([change.base, change.head], [base, head])
  const given = readFileSync(log, 'utf8').split('\n')
  for (const option of [
    '-oBatchMode=yes',
    '-oStrictHostKeyChecking=yes',
    '-oForwardAgent=no',
    '-oControlMaster=no',
  ]) {
    assert.ok(given.includes(option), option)
  }
  assert.deepEqual(given.slice(-5, -1), [
    '-p',
    '2222',
    'git@host.invalid',
    `git-upload-pack '${repository.path}'`,
  ])
})

test('a proxy from the settings is used', async (t) => {
  const asked: string[] = []
  const proxy = await served(t, {
    intercept: ({ url = '' }, response) => {
      asked.push(url)
      response.writeHead(403).end()
      return true
    },
  })
  const settings = readGitSettings({ PATH: process.env.PATH, HTTP_PROXY: proxy.origin })
  // The name is for the proxy to resolve: nobody here knows it.
  const reader = readerFor(t, { allowedProtocols: ['http'], settings })
  await assert.rejects(reader.open('http://host.invalid/r', 'main', 'topic'), { code: 'GIT_ACCESS_DENIED' })
  assert.match(asked[0] ?? '', /^http:\/\/host\.invalid\/r\/info\/refs/)
})

/** The command lines of all processes of this machine, where /proc shows them. */
function commandLines(): string[] {
  if (!existsSync('/proc/self')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => contentOf(join('/proc', pid, 'cmdline')).replaceAll('\0', ' '))
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => contentOf(join(entry.parentPath, entry.name)))
}

/** Empty for what has gone meanwhile. */
function contentOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
