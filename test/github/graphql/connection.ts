import { GraphqlRefusal } from './refusal.ts'

export interface PageArguments {
  first?: number | null
  after?: string | null
  last?: number | null
  before?: string | null
}

const MAX_PAGE = 100

/** A page of a list, as GitHub pages: exactly one of `first` and `last` has to be given, and at most 100. */
export function connect<T>(
  items: readonly T[],
  page: PageArguments,
  name: string,
  show: (item: T) => object,
) {
  const size = page.first ?? page.last
  if (size === undefined || size === null) {
    throw new GraphqlRefusal(
      'MISSING_PAGINATION_BOUNDARIES',
      `You must provide a \`first\` or \`last\` value to properly paginate the \`${name}\` connection.`,
    )
  }
  if (size > MAX_PAGE || size < 0) {
    throw new GraphqlRefusal(
      'EXCESSIVE_PAGINATION',
      `Requesting ${size} records on the \`${name}\` connection exceeds the \`first\` limit of ${MAX_PAGE} records.`,
    )
  }
  const from = page.after ? fromCursor(page.after) + 1 : 0
  const until = page.before ? fromCursor(page.before) : items.length
  const start = page.first == null ? Math.max(from, until - size) : from
  const end = page.first == null ? until : Math.min(until, from + size)
  const nodes = items.slice(start, end).map(show)
  return {
    totalCount: items.length,
    nodes,
    edges: nodes.map((node, index) => ({ node, cursor: toCursor(start + index) })),
    pageInfo: {
      hasNextPage: end < items.length,
      hasPreviousPage: start > 0,
      startCursor: nodes.length > 0 ? toCursor(start) : null,
      endCursor: nodes.length > 0 ? toCursor(end - 1) : null,
    },
  }
}

function toCursor(index: number): string {
  return Buffer.from(`cursor:v2:${index}`).toString('base64')
}

function fromCursor(cursor: string): number {
  const index = Number(Buffer.from(cursor, 'base64').toString().replace('cursor:v2:', ''))
  if (!Number.isInteger(index)) {
    throw new GraphqlRefusal(
      'INVALID_CURSOR_ARGUMENTS',
      `\`${cursor}\` does not appear to be a valid cursor.`,
    )
  }
  return index
}
