import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * What a thing of ours at GitHub is: a review (its job, run, and when it was begun, in seconds since 1970), a
 * comment about a finding (its id), the summary, or an answer (its key).
 */
export type MarkerKind = 'review' | 'finding' | 'summary' | 'answer'

/** Writes and reads the hidden first lines of what we post on one pull request. */
export interface Markers {
  /** An HTML comment, which GitHub keeps and does not show. */
  write(kind: MarkerKind, ...fields: string[]): string
  /**
   * The fields of the marker that a body begins with. It proves that we once wrote this marker for this pull
   * request, and no more: anyone can copy it, so ask first whether the body is ours.
   */
  read(kind: MarkerKind, body: string | null | undefined): string[] | undefined
}

// At the very beginning only: a marker that somebody had us quote, further down, means nothing.
const MARKER = /^<!-- kodus:([a-z]+):([^:<>\s]*):([\w-]{22}) -->(?=\r?\n|$)/

const MAC_BYTES = 16

/** Whether a body begins as all that we post, whoever wrote it. */
export function isMarked(body: string): boolean {
  return body.startsWith('<!-- kodus:')
}

export function createMarkers(
  key: Buffer,
  { repository, pullRequest }: { repository: string; pullRequest: string },
): Markers {
  const sign = (kind: string, payload: string): Buffer =>
    createHmac('sha256', key)
      .update(JSON.stringify([kind, repository.toLowerCase(), pullRequest, payload]))
      .digest()
      .subarray(0, MAC_BYTES)

  return {
    write(kind, ...fields) {
      // Percent-encoding leaves nothing in it that could end the comment.
      const payload = fields.map((field) => encodeURIComponent(field.toWellFormed())).join(',')
      return `<!-- kodus:${kind}:${payload}:${sign(kind, payload).toString('base64url')} -->`
    },
    read(kind, body) {
      const [, written, payload, mac] = MARKER.exec(body ?? '') ?? []
      if (written !== kind || payload === undefined || mac === undefined) return undefined
      if (!timingSafeEqual(Buffer.from(mac, 'base64url'), sign(kind, payload))) return undefined
      return payload === '' ? [] : payload.split(',').map(decodeURIComponent)
    },
  }
}
