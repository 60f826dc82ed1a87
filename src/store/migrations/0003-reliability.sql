-- From when a waiting job may be claimed. `due_at` says when to tell the queue of it; a message of the queue
-- says only that there is work, and the claim chooses which.
alter table workflow_jobs add column run_at timestamptz not null default now();
update workflow_jobs set run_at = due_at where status = 'RETRYING' and due_at is not null;

-- Where the trace of the webhook goes on (W3C Trace Context).
alter table workflow_jobs add column traceparent text;

-- A FAILED job that a person has looked at and wants to hear no more of.
alter table workflow_jobs add column discarded_at timestamptz;
create index workflow_jobs_failed on workflow_jobs (created_at desc, id desc)
  where status = 'FAILED' and discarded_at is null;

-- Choosing fairly: the lanes that wait, the first of each, and how many of each run.
create index workflow_jobs_waiting on workflow_jobs (organisation, repository, type, run_at, id)
  where status in ('PENDING', 'RETRYING');
create index workflow_jobs_committed on workflow_jobs (id)
  where status in ('PENDING', 'RETRYING') and intended_run is not null;
create index workflow_jobs_running on workflow_jobs (lease_until) where status = 'PROCESSING';

-- Removing what is old enough.
create index workflow_jobs_finished on workflow_jobs (finished_at) where finished_at is not null;
create index deliveries_received on deliveries (received_at);

-- What an operator has stopped, for every process: a row is there while it is stopped.
create table stops (
  name text primary key check (name in ('claiming', 'posting')),
  reason text,
  actor text not null,
  stopped_at timestamptz not null default now()
);

-- Messages that no component could read, out of the dead-letter queue and kept for a person.
create table dead_letters (
  id bigint generated always as identity primary key,
  -- The queue that it was taken from, and the broker's or the consumer's word for why it came here.
  queue text not null,
  routing_key text not null,
  reason text not null,
  message_id text,
  body bytea not null,
  -- Of the body and where it came from: a message that comes twice is kept once.
  digest bytea not null unique,
  received_at timestamptz not null default now(),
  settled_at timestamptz,
  settled_by text,
  outcome text check (outcome in ('replayed', 'discarded'))
);
create index dead_letters_open on dead_letters (id) where settled_at is null;
