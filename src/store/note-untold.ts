import type { TransitionName } from '../jobs/job.ts'

/** Moves that people are told of. A claim shows by itself, and what goes back to wait at once is not news. */
const TOLD: readonly TransitionName[] = ['complete', 'retry', 'fail', 'cancel', 'supersede']

/** Far longer than the worker whose attempt has ended needs to notice that (10 s) and to tell it (20 s). */
const TELL_WITHIN_SECONDS = 60

export function isToldOf(name: TransitionName): boolean {
  return TOLD.includes(name)
}

/**
 * SQL that notes, with a move itself, that the forge is to be told of it. Of a review that has shown nothing, only a
 * failure is told. When nobody had the job in hand it is told at once; but where something older is just being told,
 * that comes first.
 *
 * @param name a move that is told of
 * @param moved the relation of the moved rows, as they are now, with from_status, attempt, shows and told
 */
export function noteUntoldSql(name: TransitionName, moved: string): string {
  const isNews = name === 'retry' || name === 'fail'
  return `
    insert into untold_jobs (job_id, run, fence, shows, tell_at)
    select id, run, fence - 1, shows::json,
      now() + case from_status when 'PROCESSING' then ${TELL_WITHIN_SECONDS} else 0 end * interval '1 second'
    from ${moved} where type = 'code-review' and not told
      ${isNews ? '' : `and (shows is not null or stage is not null or attempt > 1 or from_status = 'RETRYING')`}
    on conflict (job_id, run) do update set fence = excluded.fence, shows = excluded.shows, since = excluded.since,
      tell_at = greatest(untold_jobs.tell_at, excluded.tell_at)`
}
