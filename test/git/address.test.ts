import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkRef, checkRevision } from '../../src/lib/git/ref.ts'
import { checkProtocols, locateRepository } from '../../src/lib/git/remote.ts'

const EVERYTHING = ['https', 'http', 'ssh', 'git']

describe('addresses that are refused, with every protocol allowed', () => {
  const refused: Record<string, string[]> = {
    'remote helpers': ['ext::sh -c id', 'fd::17', 'https::https://host/x', 'transport::address', 'ftp::x'],
    'words that read as options': ['-', '--upload-pack=id', '-oProxyCommand=id', '--', '-h/x'],
    'hosts that read as options': [
      'ssh://-oProxyCommand=id/x',
      'ssh://git@-oProxyCommand=id/x',
      'https://-x/y',
      'ssh://-oProxyCommand=id@host/x',
    ],
    'credentials in the address': [
      'https://user:token@host/x',
      'https://token@host/x',
      'http://user@host/x',
      'ssh://git:pw@host/x',
      'https://:pw@host/x',
    ],
    'control characters and white space': [
      'https://host/x\n',
      'https://host/x\r\nHost: y',
      'https://host/\u0000',
      ' https://host/x',
      'https://host/x y',
      '\thttps://host/x',
      'https://ho\u00adst/x',
      '/srv/git/x\n',
      'https://host/x\u0085',
    ],
    'escapes that decode to what is refused': [
      'https://host/%0a',
      'https://host/%00',
      'https://host/x%2f..%2fy',
      'https://host/%zz',
      'https://host/a%5cb',
      'file:///srv/%00',
      'file:///srv%2fx',
    ],
    'paths that climb': ['https://host/a/../b', 'https://host/..', 'https://host/./x'],
    'other shapes': [
      '',
      'host:path',
      'git@host:path.git',
      'relative/path',
      './x',
      '~/x',
      'https:/host/x',
      'https:///x',
      'https://host',
      'https://host/x?y=1',
      'https://host/x#y',
      'https://host\\@other/x',
      'https://a@b@c/x',
      'https://host:99999999/x',
      'https://[::1/x',
      'file://host/srv/x',
      'file:relative',
      'file:///srv/x?y',
      'HTTPS://host/x',
      `https://host/${'x'.repeat(2000)}`,
      'C:\\repo',
    ],
  }
  for (const [kind, addresses] of Object.entries(refused)) {
    test(kind, () => {
      for (const address of addresses) {
        assert.throws(() => locateRepository(address, EVERYTHING), { code: 'GIT_URL_REFUSED' }, address)
      }
    })
  }

  test('a protocol nobody allowed, and one nobody can', () => {
    for (const address of [
      'http://host/x',
      'ssh://git@host/x',
      'git://host/x',
      'ftp://host/x',
      'ext://host/x',
    ]) {
      assert.throws(() => locateRepository(address, []), { code: 'GIT_PROTOCOL_REFUSED' }, address)
    }
    assert.throws(() => locateRepository('ftp://host/x', ['ftp']), { code: 'GIT_PROTOCOL_REFUSED' })
    for (const protocol of ['file', 'ext', 'ftp', '', 'HTTPS']) {
      assert.throws(() => checkProtocols([protocol]), { code: 'CONFIG_INVALID' }, protocol)
    }
  })

  test('the refusal does not repeat a credential', () => {
    assert.throws(
      () => locateRepository('https://user:hunter2@host/x', EVERYTHING),
      (error: Error) => {
        assert.doesNotMatch(error.message, /hunter2/)
        return true
      },
    )
  })
})

test('plain addresses are allowed, and know the origin their credential belongs to', () => {
  const origins = {
    'https://github.com/kodus/kodus-ai.git': 'https://github.com',
    'https://Git.Example.com:8443/a/b%20c/~d/e_f-g.git': 'https://git.example.com:8443',
    'http://127.0.0.1:3000/x.git': 'http://127.0.0.1:3000',
    'http://[::1]:3000/x': 'http://[::1]:3000',
    'ssh://git@host:22/~user/x.git': 'ssh://host:22',
    'git://host/x': 'git://host',
  }
  for (const [url, origin] of Object.entries(origins)) {
    const location = locateRepository(url, EVERYTHING)
    assert.equal(location.at === 'url' && location.remote.url, url)
    assert.equal(location.at === 'url' && location.remote.origin, origin)
  }
  assert.deepEqual(locateRepository('/srv/git/ä b.git', []), { at: 'path', path: '/srv/git/ä b.git' })
  assert.deepEqual(locateRepository('file:///srv/git/a%20b', []), { at: 'path', path: '/srv/git/a b' })
})

test('refs that git or a command line could misread are refused', () => {
  const refused = [
    ...[
      '',
      '-',
      '--all',
      '-x',
      '@',
      '.',
      '..',
      'a..b',
      'a...b',
      'HEAD~1',
      'HEAD^',
      '^main',
      'main:path',
      ':/fix',
    ],
    ...[
      '@{u}',
      'main@{1}',
      'a b',
      'a\tb',
      'a\nb',
      'a\u0000',
      'a\u007fb',
      'a?',
      'a*',
      'a[b',
      'a\\b',
      '/a',
      'a/',
      'a//b',
    ],
    ...['.a', 'a/.b', 'a.lock', 'a.lock/b', 'a.', '+main', 'x'.repeat(256), 'ä'.repeat(128), '\ud800'],
  ]
  for (const ref of refused)
    assert.throws(() => checkRef(ref), { code: 'GIT_REF_REFUSED' }, JSON.stringify(ref))
})

test('refs that people use are accepted', () => {
  const accepted = [
    'main',
    'feature/x-1',
    'refs/heads/main',
    'v1.2.3',
    'a@b',
    'größe',
    '$(x)',
    "it's",
    'a'.repeat(40),
  ]
  for (const ref of accepted) assert.equal(checkRef(ref), ref)
})

test('a person may also count commits back, and nothing else', () => {
  for (const revision of ['HEAD~1', 'main^', 'main^2~3', '@', '@~1', 'v1']) {
    assert.equal(checkRevision(revision), revision)
  }
  for (const revision of [
    '-x~1',
    '~1',
    '^main',
    'a..b',
    'main^{/x}',
    'main^@',
    'main^-',
    ':/x',
    'a:b',
    'main@{1}',
  ]) {
    assert.throws(() => checkRevision(revision), { code: 'GIT_REF_REFUSED' }, revision)
  }
})
