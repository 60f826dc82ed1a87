const PREFIX = 'MISSING: '

/** The reason of a skip that a complete machine would not have; a run on CI fails on it. */
export function missing(what: string): string {
  return PREFIX + what
}

export function isMissing(reason: string): boolean {
  return reason.startsWith(PREFIX)
}
