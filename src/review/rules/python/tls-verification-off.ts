import { callsFunctionOf, keyword } from '../python-shapes.ts'
import type { Rule } from '../rule.ts'

export const tlsVerificationOff: Rule = {
  id: 'python/tls-verification-off',
  languages: ['python'],
  severity: 'high',
  what: 'The certificate of the other side is not checked.',
  why: 'Anyone on the path can pose as the server, read what is sent (passwords included) and change what comes back.',
  advice: 'Pass the certificate authority: `verify="/path/to/ca.pem"`.',
  match: {
    rule: {
      kind: 'call',
      all: [
        callsFunctionOf(
          '^(requests|httpx|session|client|http)$',
          '^(get|post|put|patch|delete|head|options|request|stream|Client|AsyncClient)$',
        ),
        keyword('verify', { kind: 'false' }),
      ],
    },
  },
  at: (match) =>
    match
      .field('arguments')
      ?.children()
      .filter((part) => part.is('keyword_argument') && part.field('name')?.text() === 'verify') ?? [],
  notInTests: true,
  examples: {
    bad: [
      'import requests\nreply = requests.post(url, json=order, verify=False)\n',
      'client = httpx.AsyncClient(verify=False)\n',
    ],
    good: [
      'import requests\nreply = requests.post(url, json=order, verify=CA_FILE)\n',
      'jwt.decode(token, key, verify=False)\n',
      'reply = requests.get(url, verify=not local)\n',
    ],
  },
}
