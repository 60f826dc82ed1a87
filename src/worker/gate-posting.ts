import type { Conversation, Forge, ReviewPoster, StatusDisplay } from '../forges/forge.ts'
import { ensurePosting } from '../jobs/ensure-posting.ts'
import type { ForgeName } from '../jobs/review-request.ts'
import { KodusError } from '../lib/errors.ts'
import type { Database } from '../store/database.ts'

/** Between two looks while a review is being posted, which can take a minute. */
const LOOK_MS = 5_000

/**
 * The forges, writing nothing while an operator has stopped posting: a review, an answer and a dismissed thread
 * throw POSTING_STOPPED, before their first request or before the next one; a status is not shown. What was on
 * its way to the forge when posting was stopped still arrives.
 */
export function gatePosting(
  forges: Partial<Record<ForgeName, Forge>>,
  db: Database,
): Partial<Record<ForgeName, Forge>> {
  return Object.fromEntries(Object.entries(forges).map(([name, forge]) => [name, gateForge(forge, db)]))
}

function gateForge(forge: Forge, db: Database): Forge {
  return {
    ...forge,
    poster: gatePoster(forge.poster, db),
    ...(forge.status ? { status: gateStatus(forge.status, db) } : {}),
    ...(forge.conversation ? { conversation: gateConversation(forge.conversation, db) } : {}),
  }
}

/** Looks each time the poster makes sure that the job is still ours, last before it submits, and now and then. */
function gatePoster(poster: ReviewPoster, db: Database): ReviewPoster {
  return {
    async post(request, review, stillOurs, signal) {
      const stopped = new AbortController()
      const look = async () => {
        await ensurePosting(db).catch((error: unknown) => {
          // Whatever the poster would do now, as cleaning up behind it: it is a write too.
          if (isStop(error)) stopped.abort(error)
          throw error
        })
      }
      await look()
      // A look that fails stops nothing: the poster's own next one says why.
      const looking = setInterval(() => look().catch(() => {}), LOOK_MS)
      const mayGoOn = async () => {
        if (!(await stillOurs())) return false
        await look()
        return true
      }
      try {
        return await poster.post(request, review, mayGoOn, AbortSignal.any([signal, stopped.signal]))
      } catch (error) {
        throw stopped.signal.aborted ? stopped.signal.reason : error
      } finally {
        clearInterval(looking)
      }
    },
  }
}

function gateStatus(status: StatusDisplay, db: Database): StatusDisplay {
  return {
    async show(...shown) {
      try {
        await ensurePosting(db)
      } catch (error) {
        if (isStop(error)) return
        throw error
      }
      await status.show(...shown)
    },
  }
}

function gateConversation(conversation: Conversation, db: Database): Conversation {
  return {
    async answer(...answer) {
      await ensurePosting(db)
      await conversation.answer(...answer)
    },
    async dismissThread(...thread) {
      await ensurePosting(db)
      return await conversation.dismissThread(...thread)
    },
  }
}

function isStop(error: unknown): boolean {
  return error instanceof KodusError && error.code === 'POSTING_STOPPED'
}
