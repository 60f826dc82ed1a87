import { EMPTY_BLOCK } from '../java-shapes.ts'
import { descend, type Rule, type Shape } from '../rule.ts'

/** `{ return true; }` */
const SAYS_YES: Shape = {
  kind: 'block',
  all: [
    { has: { kind: 'return_statement', has: { kind: 'true' } } },
    {
      not: {
        has: {
          pattern: '$_STATEMENT',
          not: { any: [{ kind: 'return_statement' }, { kind: 'line_comment' }, { kind: 'block_comment' }] },
        },
      },
    },
  ],
}
const NOTHING: Shape = {
  any: [
    EMPTY_BLOCK,
    {
      kind: 'block',
      not: {
        has: { pattern: '$_STATEMENT', not: { any: [{ kind: 'line_comment' }, { kind: 'block_comment' }] } },
      },
    },
  ],
}

function method(name: string, parameter: string, body: Shape): Shape {
  return {
    kind: 'method_declaration',
    all: [
      { has: { field: 'name', regex: name } },
      {
        has: {
          field: 'parameters',
          has: { kind: 'formal_parameter', has: { field: 'type', regex: parameter } },
        },
      },
      { has: { field: 'body', ...body } },
    ],
  }
}

export const tlsVerificationOff: Rule = {
  id: 'java/tls-verification-off',
  languages: ['java'],
  severity: 'high',
  what: 'This accepts the certificate of anybody.',
  why: 'Anyone on the path can pose as the server, read what is sent (passwords included) and change what comes back.',
  advice: 'Put the certificate authority into a trust store and build the SSLContext from that.',
  match: {
    rule: {
      any: [
        method('^checkServerTrusted$', 'X509Certificate', NOTHING),
        method('^verify$', 'SSLSession$', SAYS_YES),
      ],
    },
  },
  unlessWithin: {
    rule: {
      any: [{ kind: 'method_declaration' }, { kind: 'class_declaration' }],
      has: { field: 'name', regex: '(?i)insecure|disable|ignore|skip|unsafe|passthrough|(no|un)verif' },
    },
  },
  at: (match) => descend(match, 'name'),
  notInTests: true,
  examples: {
    bad: [
      'class TrustAll implements X509TrustManager {\n  public void checkServerTrusted(X509Certificate[] chain, String type) {\n  }\n}\n',
      'class A {\n  HostnameVerifier any = new HostnameVerifier() {\n    public boolean verify(String host, SSLSession session) {\n      return true;\n    }\n  };\n}\n',
    ],
    good: [
      'class A {\n  void disableCertificateCheck() {\n    use(new X509TrustManager() {\n      public void checkServerTrusted(X509Certificate[] chain, String type) {}\n    });\n  }\n}\n',
      'class Pinned implements X509TrustManager {\n  public void checkServerTrusted(X509Certificate[] chain, String type) throws CertificateException {\n    check(chain[0]);\n  }\n}\n',
      'class Any implements X509TrustManager {\n  public void checkClientTrusted(X509Certificate[] chain, String type) {\n  }\n}\n',
      'class A {\n  boolean verify(String text) {\n    return true;\n  }\n}\n',
    ],
  },
}
