-- What the forge is still to be told of a job: written with the move itself, removed by whoever told it. A table of
-- its own, since a run that was replayed before its end was told is told of beside the new one, and since a mark in
-- the job's row would cost a second write to each of its indexes. What is not here was told.
create table untold_jobs (
  job_id uuid not null references workflow_jobs (id) on delete cascade,
  run integer not null,
  -- The job's fencing token before the move that is to be told.
  fence bigint not null,
  -- What to show, where the row of the job does not say it.
  shows json,
  since timestamptz not null default now(),
  -- Until then, whoever ended the attempt, or has taken it over to tell it, is left to do so.
  tell_at timestamptz not null,
  primary key (job_id, run)
);
create index untold_jobs_tell_at on untold_jobs (tell_at);
