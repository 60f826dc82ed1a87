import { descend, type Rule, SCRIPT_LANGUAGES } from '../rule.ts'

export const parseIntInMap: Rule = {
  id: 'typescript/parse-int-in-map',
  languages: SCRIPT_LANGUAGES,
  severity: 'high',
  what: 'map passes the index as second argument, and parseInt takes it for the radix.',
  why: "`['10', '10', '10'].map(parseInt)` is `[10, NaN, 2]`: the first element is right, so a test with one passes.",
  advice: 'Wrap it: `(text) => Number.parseInt(text, 10)`.',
  match: {
    rule: {
      any: [
        { pattern: '$_LIST.map(parseInt)' },
        { pattern: '$_LIST.map(Number.parseInt)' },
        { pattern: '$_LIST.flatMap(parseInt)' },
      ],
    },
  },
  at: (match) => descend(match, 'arguments'),
  fix: () => '((text) => Number.parseInt(text, 10))',
  examples: {
    bad: [
      "const [major, minor] = version.split('.').map(parseInt)\n",
      'const ids = parts.map(Number.parseInt)\n',
    ],
    good: [
      "const [major, minor] = version.split('.').map(Number)\n",
      'const ids = parts.map((part) => parseInt(part, 10))\n',
      'const sizes = parts.map(parseFloat)\n',
    ],
  },
}
