import assert from 'node:assert/strict'
import type { Files } from '../../github/server.ts'
import type { Stack } from './stack.ts'

const TOTAL = `def total(items):
    return sum(items)
`

const LABEL = `def label(order):
    return order.name
`

/** Line 2 of it: `python/is-literal`, which has a replacement. */
const LABEL_WITH_MISTAKE = `def label(order):
    if order.status is "paid":
        return "paid"
    return order.name
`

/** Line 4 of it: `python/bare-except`, which has none. */
const LOAD_WITH_MISTAKE = `def load(path):
    try:
        return parse(path)
    except:
        log.error("cannot load")
`

function file(...parts: string[]): Files {
  return { 'orders.py': parts.join('\n\n') }
}

/** `orders.py` as it grows: what is found in it is named by where it is. */
export const ORDERS = {
  base: file(TOTAL, LABEL),
  /** `is` in line 6, `except:` in line 14. */
  twoMistakes: file(TOTAL, LABEL_WITH_MISTAKE, LOAD_WITH_MISTAKE),
  /** `except:` in line 12. */
  labelMended: file(TOTAL, LABEL, LOAD_WITH_MISTAKE),
}

/** What is added at the end of `orders.py`: `is` in its second line. */
export const ONE_MORE_MISTAKE = `

def refund(order):
    if order.total is 0:
        return None
    return order.total
`

/** The lines of the base that a pull request has nothing to do with: `is` in its second line. */
export const MISTAKE_OF_THE_BASE = `def currency(order):
    if order.country is "US":
        return "USD"
    return "EUR"
`

export function append(files: Files, text: string): Files {
  return { 'orders.py': `${files['orders.py']}${text}` }
}

export function prepend(files: Files, text: string): Files {
  return { 'orders.py': `${text}\n\n${files['orders.py']}` }
}

/** A pull request with two mistakes in it, and whatever else is given; reviewed. */
export async function openReviewed({ github, idle }: Stack, name: string, more: Files = {}) {
  const repository = github.createRepository(name, { files: ORDERS.base })
  repository.commit('feature', { ...ORDERS.twoMistakes, ...more })
  const before = github.git.bytesSent
  const pull = repository.openPullRequest({ head: 'feature' })
  await idle()
  assert.equal(pull.reviews().length, 1, 'it is reviewed')
  return { repository, pull, first: pull.head(), fetched: github.git.bytesSent - before }
}
