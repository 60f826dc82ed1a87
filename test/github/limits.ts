import type { Actor } from './authenticate.ts'
import { Refusal } from './refusal.ts'
import type { Clock, Limits } from './server.ts'

/** GitHub's primary limits an hour: anonymous, and everybody else. */
const ANONYMOUS = 60
const AUTHENTICATED = 5_000
const HOUR_SECONDS = 3_600

export type Resource = 'core' | 'graphql'

export interface Usage {
  limit: number
  remaining: number
  used: number
  /** Seconds since 1970. */
  reset: number
}

/** The primary limits. What does not count (304, `/rate_limit`) is simply not counted. */
export interface PrimaryLimits extends Limits {
  /** @throws Refusal 403 when nothing is left */
  check(actor: Actor, resource: Resource): void
  count(actor: Actor, resource: Resource): void
  usage(actor: Actor, resource: Resource): Usage
}

export function createLimits(clock: Clock): PrimaryLimits {
  const usages = new Map<string, Usage>()
  let preset: { remaining: number; reset: number } | undefined
  let counted = 0

  const nowSeconds = () => Math.floor(clock.now().getTime() / 1000)

  const usage = (actor: Actor, resource: Resource): Usage => {
    const key = `${keyOf(actor)} ${resource}`
    const known = usages.get(key)
    if (known && known.reset > nowSeconds()) return known
    const limit = actor.kind === 'anonymous' ? ANONYMOUS : AUTHENTICATED
    const stillPreset = preset && preset.reset > nowSeconds() ? preset : undefined
    const remaining = stillPreset?.remaining ?? limit
    const reset = stillPreset?.reset ?? nowSeconds() + HOUR_SECONDS
    const fresh = { limit, remaining, used: limit - remaining, reset }
    usages.set(key, fresh)
    return fresh
  }

  return {
    setPrimary(remaining, resetInSeconds = HOUR_SECONDS) {
      preset = { remaining, reset: nowSeconds() + resetInSeconds }
      usages.clear()
    },
    counted: () => counted,
    usage,
    check(actor, resource) {
      if (usage(actor, resource).remaining <= 0) {
        throw new Refusal(403, `API rate limit exceeded for ${actor.name}.`)
      }
    },
    count(actor, resource) {
      const here = usage(actor, resource)
      here.remaining -= 1
      here.used += 1
      counted += 1
    },
  }
}

/** Every installation and every account has limits of its own. */
function keyOf(actor: Actor): string {
  return actor.kind === 'installation'
    ? `installation ${actor.installation.id}`
    : `${actor.kind} ${actor.name}`
}
