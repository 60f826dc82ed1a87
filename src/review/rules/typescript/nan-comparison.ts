import { type Rule, SCRIPT_LANGUAGES } from '../rule.ts'

const NAN = ['NaN', 'Number.NaN']
const EQUALITY = ['==', '===', '!=', '!==']

export const nanComparison: Rule = {
  id: 'typescript/nan-comparison',
  languages: SCRIPT_LANGUAGES,
  severity: 'high',
  what: 'Nothing equals NaN, not even NaN: this comparison has the same answer for every value.',
  why: 'The check never fires, so an amount that failed to parse goes on into sums and rows as NaN.',
  advice: 'Use `Number.isNaN(value)`.',
  match: {
    rule: {
      any: EQUALITY.flatMap((operator) =>
        NAN.flatMap((nan) => [
          { pattern: `$_VALUE ${operator} ${nan}` },
          { pattern: `${nan} ${operator} $_VALUE` },
        ]),
      ),
    },
  },
  fix: (node) => {
    const [left, right] = [node.field('left'), node.field('right')]
    const value = NAN.includes(right?.text() ?? '') ? left : right
    const negated = node.field('operator')?.text().startsWith('!')
    return value ? `${negated ? '!' : ''}Number.isNaN(${value.text()})` : undefined
  },
  examples: {
    bad: [
      'if (amount === NaN) throw new Error("not a number")\n',
      'const valid = parsed != Number.NaN\n',
      'while (NaN == read()) retry()\n',
    ],
    good: [
      'if (Number.isNaN(amount)) throw new Error("not a number")\n',
      'const start = index === -1 ? NaN : index\n',
      'if (name === "NaN") skip()\n',
    ],
  },
}
