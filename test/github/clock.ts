import type { Clock } from './server.ts'

export function createClock(): Clock {
  let offset = 0
  let frozen: number | undefined
  const now = () => new Date(frozen ?? Date.now() + offset)
  return {
    now,
    timestamp: () => toTimestamp(now()),
    advance(ms) {
      if (frozen !== undefined) frozen += ms
      else offset += ms
    },
    freeze(at) {
      frozen = at === undefined ? now().getTime() : Date.parse(at)
    },
    unfreeze() {
      if (frozen !== undefined) offset = frozen - Date.now()
      frozen = undefined
    },
  }
}

/** ISO 8601 to the second, as GitHub writes it. */
export function toTimestamp(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`
}
