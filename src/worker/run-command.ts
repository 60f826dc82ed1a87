import type { Forge } from '../forges/forge.ts'
import { KodusError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { findOlderCommand } from '../store/find-older-command.ts'
import { namingItsOutages } from '../store/outages.ts'
import type { JobOf } from '../store/transition-job.ts'
import type { JobRunner } from './job-runner.ts'
import { type Order, obeyCommand } from './obey-command.ts'
import { sayCommandFailed, sayNotAWriter } from './say-command.ts'
import type { Work } from './work.ts'

const TELL_TIMEOUT_MS = 10_000

/**
 * The work of a `command` job. Anybody can write a comment: nothing is done before the operator's allowlist
 * and the forge have been asked, and what strangers are answered is answered once to each.
 */
export function commandWork(
  { job, signal }: { job: JobOf<'command'>; signal: AbortSignal },
  forge: Forge,
  runner: JobRunner,
  log: Log,
): Work {
  const { payload } = job
  const { repository, sender, command, comment } = payload
  // Webhook and poll may bring one comment under two ids, each with a job of its own: it is answered once.
  const key = `${comment.place}:${comment.id}`
  const db = namingItsOutages(runner.db)
  return {
    async run() {
      log.info({ attempt: job.attempts, run: job.run }, `claimed: ${command} of ${sender} in ${repository}`)
      if (!canObey(forge)) throw commandsNotSupported(job.forge)
      const { pullRequests, conversation } = forge
      if (!pullRequests.isAllowed(repository)) return `not done: ${repository} is not on the allowlist`
      if (!(await pullRequests.canWrite(repository, sender, signal))) {
        await conversation.answer(payload, `not-a-writer:${sender}`, sayNotAWriter(), signal)
        return `not done: ${sender} may not write to ${repository}`
      }
      const older = await findOlderCommand(db, job.id)
      if (older) return `not done again: this comment is the command of ${older}`
      const { did, answer } = await obeyCommand({ job, forge, db, queue: runner.queue, signal })
      if (answer !== undefined) await conversation.answer(payload, key, answer, signal)
      return did
    },

    async tell(end) {
      if (end.how !== 'failed' || !canObey(forge) || !forge.pullRequests.isAllowed(repository)) return
      const answer = sayCommandFailed(end.error)
      await forge.conversation.answer(payload, `${key}:failed`, answer, AbortSignal.timeout(TELL_TIMEOUT_MS))
    },
  }
}

function canObey(forge: Forge): forge is Order['forge'] {
  return forge.pullRequests !== undefined && forge.conversation !== undefined
}

function commandsNotSupported(forge: string): KodusError {
  return new KodusError('COMMANDS_NOT_SUPPORTED', `${forge} has no place for commands.`, {
    help: 'Ask for a review over the webhook instead.',
  })
}
