import type { Rule, Shape } from '../rule.ts'

const SENT: Shape = {
  any: [
    ...['data', 'body', 'form', 'args', 'cookies', 'headers'].flatMap((part) =>
      ['request', 'self.request'].flatMap((request) => [
        { pattern: `${request}.${part}` },
        { pattern: `${request}.${part}[$_KEY]` },
        { pattern: `${request}.${part}.get($$$)` },
      ]),
    ),
    { pattern: 'request.get_data()' },
    { pattern: 'await request.body()' },
  ],
}
const DECODED: Shape = { kind: 'call', has: { field: 'arguments', has: SENT } }

export const unpickledRequest: Rule = {
  id: 'python/unpickled-request',
  languages: ['python'],
  severity: 'critical',
  what: 'Bytes that a client sent are unpickled.',
  why: 'A pickle says which functions to call while it is loaded: whoever sends it runs code on this machine.',
  advice: 'Use JSON with a schema. Where it must be pickle, check an HMAC before loading.',
  match: {
    rule: {
      any: ['pickle', 'cPickle', 'dill', 'cloudpickle'].map((module) => ({
        pattern: `${module}.loads($BYTES)`,
      })),
    },
    constraints: { BYTES: { any: [SENT, DECODED] } },
  },
  notInTests: true,
  examples: {
    bad: [
      'import pickle\ncart = pickle.loads(request.data)\n',
      'import pickle\ncart = pickle.loads(base64.b64decode(request.cookies["cart"]))\n',
    ],
    good: [
      'import json\ncart = json.loads(request.data)\n',
      'import pickle\ncache = pickle.loads(path.read_bytes())\n',
    ],
  },
}
