import { KodusError } from '../../lib/errors.ts'

/** The most that GitHub puts on a page of a list. */
export const PER_PAGE = 100

/** 10,000 items: far more than people leave on a pull request, and an end to the loop. */
const MAX_PAGES = 100

interface Page<Item> {
  items: Item[]
  headers: { link?: string | undefined }
}

/**
 * All items of a list. Whether there is another page is told by the `Link` header alone: GitHub leaves out
 * what an account may not see, so that a page may have less than it was asked for.
 *
 * @param fetchPage gets the number of the page, from 1
 * @throws KodusError GITHUB_LIST_TOO_LONG rather than passing off a part as the whole
 */
export async function listAll<Item>(fetchPage: (page: number) => Promise<Page<Item>>): Promise<Item[]> {
  const all: Item[] = []
  for (let page = 1; page <= MAX_PAGES; page++) {
    const { items, headers } = await fetchPage(page)
    all.push(...items)
    if (!/;\s*rel="next"/.test(headers.link ?? '')) return all
  }
  throw new KodusError(
    'GITHUB_LIST_TOO_LONG',
    `A list at GitHub has more than ${MAX_PAGES * PER_PAGE} items, the most that are read.`,
    {
      help: 'Continue in a new pull request: this one has more reviews or comments than can be looked through.',
    },
  )
}
