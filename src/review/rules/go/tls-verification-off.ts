import { FUNCTION } from '../go-shapes.ts'
import type { Rule, Shape } from '../rule.ts'

function element(key: string, value: Shape = {}): Shape {
  return {
    kind: 'keyed_element',
    all: [{ has: { field: 'key', regex: key } }, { has: { field: 'value', ...value } }],
  }
}

const ON_PURPOSE = '(?i)insecure|skip|verif'

/** `tls.Config{InsecureSkipVerify: true}`, or a pointer to it. */
const LITERAL: Shape = {
  kind: 'composite_literal',
  has: {
    field: 'body',
    has: { all: [element('^InsecureSkipVerify$', { has: { kind: 'true' } }), { pattern: '$OFF' }] },
  },
}
const CONFIGURATION: Shape = {
  any: [LITERAL, { kind: 'unary_expression', has: { field: 'operand', ...LITERAL } }],
}

export const tlsVerificationOff: Rule = {
  id: 'go/tls-verification-off',
  languages: ['go'],
  severity: 'high',
  what: 'The certificate of the other side is not checked.',
  why: 'Anyone on the path can pose as the server, read what is sent (passwords included) and change what comes back.',
  advice: 'Put the certificate authority into `RootCAs`, or check it yourself in `VerifyConnection`.',
  match: { rule: element('^TLSClientConfig$', { has: CONFIGURATION }) },
  // Whoever looks at the certificates checks them: against a pin, say, or an address.
  unlessFileHas: {
    rule: {
      any: [{ kind: 'identifier' }, { kind: 'field_identifier' }],
      regex: '^(VerifyPeerCertificate|VerifyConnection|PeerCertificates)$',
    },
  },
  unlessWithin: {
    rule: {
      any: [
        { all: [FUNCTION, { has: { field: 'name', regex: ON_PURPOSE } }] },
        { kind: 'var_spec', has: { field: 'name', regex: ON_PURPOSE } },
        {
          kind: 'short_var_declaration',
          has: { field: 'left', has: { kind: 'identifier', regex: ON_PURPOSE } },
        },
        {
          kind: 'if_statement',
          has: {
            field: 'condition',
            any: [{ kind: 'identifier' }, { kind: 'selector_expression' }, { kind: 'unary_expression' }],
            regex: ON_PURPOSE,
          },
        },
      ],
    },
  },
  at: (match) => [match.getMatch('OFF')].filter((off) => off !== null),
  notInTests: true,
  examples: {
    bad: [
      'package a\n\nvar transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}\n',
    ],
    good: [
      'package a\n\nvar transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: options.Insecure}}\n',
      'package a\n\nvar transport = &http.Transport{TLSClientConfig: &tls.Config{\n\tInsecureSkipVerify: true,\n\tVerifyConnection: checkPin,\n}}\n',
      'package a\n\nfunc open() {\n\tif options.Insecure {\n\t\ttransport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}\n\t}\n}\n',
      'package a\n\nvar insecureTransport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}\n',
    ],
  },
}
