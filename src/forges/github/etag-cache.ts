/** An answer that GitHub may later call unmodified. */
export interface KeptAnswer {
  etag: string
  headers: Headers
  body: Buffer
}

export interface EtagCache {
  get(key: string): KeptAnswer | undefined
  set(key: string, answer: KeptAnswer): void
}

/** What an entry takes besides its body: key, headers, the map's own. Generous. */
const ENTRY_BYTES = 4096

/**
 * Keeps answers with their ETags, the least recently used one dropped first: asking again for what did not
 * change costs nothing of the rate limit. Bounded in entries and in bytes; an answer that would take more than
 * an eighth of all is not kept.
 */
export function createEtagCache({
  maxEntries = 2_000,
  maxBytes = 32 * 1024 ** 2,
}: {
  maxEntries?: number
  maxBytes?: number
} = {}): EtagCache {
  // A Map remembers the order of insertion: the first key is the one unused for longest.
  const answers = new Map<string, KeptAnswer>()
  let bytes = 0

  const drop = (key: string) => {
    const answer = answers.get(key)
    if (answer && answers.delete(key)) bytes -= sizeOf(answer)
  }

  return {
    get(key) {
      const answer = answers.get(key)
      if (!answer) return undefined
      answers.delete(key)
      answers.set(key, answer)
      return answer
    },
    set(key, answer) {
      drop(key)
      const size = sizeOf(answer)
      if (size > maxBytes / 8) return
      answers.set(key, answer)
      bytes += size
      for (const oldest of answers.keys()) {
        if (answers.size <= maxEntries && bytes <= maxBytes) break
        drop(oldest)
      }
    },
  }
}

function sizeOf({ body }: KeptAnswer): number {
  return body.byteLength + ENTRY_BYTES
}
