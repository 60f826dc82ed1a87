import { descend, type Rule, SCRIPT_LANGUAGES } from '../rule.ts'

const NUMBERS = ['$_LIST.map(Number)', '$_LIST.map(parseFloat)', '$_LIST.map(Number.parseFloat)']

export const numericSort: Rule = {
  id: 'typescript/numeric-sort',
  languages: SCRIPT_LANGUAGES,
  severity: 'high',
  what: 'sort() without a comparator orders numbers as text: 10 comes before 9.',
  why: 'It is right for one-digit test data and wrong for real amounts; minima, medians and "latest" come out wrong without an error.',
  advice: 'Give it a comparator: `sort((a, b) => a - b)`.',
  match: {
    rule: {
      any: NUMBERS.flatMap((list) => [{ pattern: `${list}.sort()` }, { pattern: `${list}.toSorted()` }]),
    },
  },
  at: (match) => descend(match, 'arguments'),
  fix: () => '((a, b) => a - b)',
  examples: {
    bad: [
      'const versions = tags.map(Number).sort()\n',
      'const prices = cells\n  .map(parseFloat)\n  .sort()\n',
    ],
    good: [
      'const versions = tags.map(Number).sort((a, b) => a - b)\n',
      'const names = users.map((user) => user.name).sort()\n',
      'const words = lines.sort()\n',
    ],
  },
}
