import type { SgNode } from '@ast-grep/napi'
import { callsFunctionOf, FUNCTION, shortText } from '../go-shapes.ts'
import type { Rule } from '../rule.ts'

const ENTRY_NAME = '^(f|file|zf|zipFile|zippedFile|h|hdr|head|header|th|entry)\\.(Name|Linkname)$'
const CHECKS =
  /HasPrefix|IsLocal|"\.\."|SecureJoin|securejoin|filepath\.Rel|[sS]anitize|Base\(|[vV]alidate|[tT]raversal|[sS]lip|[sS]afe|os\.OpenRoot/
const WRITES = /\bos\.(Create|OpenFile|Mkdir|MkdirAll|WriteFile|Symlink)\(/

/** Of a longer function it cannot be told. */
const MAX_FUNCTION = 32_768

function isUnchecked(declaration: SgNode): boolean {
  const text = shortText(declaration, MAX_FUNCTION)
  return WRITES.test(text) && !CHECKS.test(text)
}

export const zipSlip: Rule = {
  id: 'go/zip-slip',
  languages: ['go'],
  severity: 'critical',
  what: 'The name of an archive entry becomes a path without a check.',
  why: 'An entry called `../../.ssh/authorized_keys` is written outside the directory: whoever made the archive overwrites any file of this user.',
  advice: 'Refuse names for which `filepath.IsLocal` is false, or extract below an `os.Root`.',
  match: {
    rule: {
      all: [
        FUNCTION,
        {
          has: {
            field: 'body',
            has: {
              all: [
                callsFunctionOf('^(filepath|path)$', '^Join$'),
                {
                  has: {
                    field: 'arguments',
                    has: { kind: 'selector_expression', regex: ENTRY_NAME },
                  },
                },
              ],
              pattern: '$JOIN',
              stopBy: 'end',
            },
          },
        },
      ],
    },
  },
  fileHas: { rule: { kind: 'interpreted_string_literal', regex: '^"archive/(zip|tar)"$' } },
  at: (match) => (isUnchecked(match) ? [match.getMatch('JOIN')].filter((join) => join !== null) : []),
  notInTests: true,
  examples: {
    bad: [
      'package a\n\nimport "archive/zip"\n\nfunc unzip(r *zip.Reader, dir string) error {\n\tfor _, f := range r.File {\n\t\tout, err := os.Create(filepath.Join(dir, f.Name))\n\t\tif err != nil {\n\t\t\treturn err\n\t\t}\n\t\tcopyInto(out, f)\n\t}\n\treturn nil\n}\n',
    ],
    good: [
      'package a\n\nimport "archive/zip"\n\nfunc unzip(r *zip.Reader, dir string) error {\n\tfor _, f := range r.File {\n\t\tif !filepath.IsLocal(f.Name) {\n\t\t\treturn errEscapes\n\t\t}\n\t\tout, err := os.Create(filepath.Join(dir, f.Name))\n\t\tcopyInto(out, f, err)\n\t}\n\treturn nil\n}\n',
      'package a\n\nimport "archive/zip"\n\nfunc list(r *zip.Reader) {\n\tfor _, f := range r.File {\n\t\tprint(path.Join("/", f.Name))\n\t}\n}\n',
    ],
  },
}
