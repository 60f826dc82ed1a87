-- The truth about every job. `due_at` drives whatever has to happen later (see jobs/dispatch-due.ts).
create table workflow_jobs (
  id uuid primary key,
  type text not null,
  version smallint not null,
  forge text not null,
  delivery_id text not null,
  organisation text not null,
  repository text not null,
  pull_request text,
  payload jsonb not null,
  status text not null default 'PENDING' check (
    status in ('PENDING', 'PROCESSING', 'RETRYING', 'COMPLETED', 'FAILED', 'CANCELLED', 'SUPERSEDED')
  ),
  run integer not null default 1,
  attempts integer not null default 0,
  lapses integer not null default 0,
  fence bigint not null default 0,
  due_at timestamptz,
  lease_until timestamptz,
  worker text,
  -- The run whose intent to post is committed (see store/record-intent.ts).
  intended_run integer,
  stage text,
  progress smallint not null default 0,
  error jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz
);

create index workflow_jobs_due on workflow_jobs (due_at) where due_at is not null;
create index workflow_jobs_newest on workflow_jobs (created_at desc, id desc);
create index workflow_jobs_active on workflow_jobs (forge, repository, pull_request)
  where status in ('PENDING', 'PROCESSING', 'RETRYING');

-- Small tombstones: a delivery is remembered longer than its job. The digest is of the signed body, because
-- the id travels in a header outside the signature.
create table deliveries (
  forge text not null,
  delivery_id text not null,
  digest bytea not null,
  job_id uuid not null,
  received_at timestamptz not null default now(),
  primary key (forge, delivery_id),
  unique (forge, digest)
);

-- A pull request as the forge last told of it.
create table pull_requests (
  forge text not null,
  repository text not null,
  pull_request text not null,
  head text not null,
  state text not null check (state in ('open', 'closed', 'merged')),
  draft boolean not null,
  updated_at timestamptz not null,
  primary key (forge, repository, pull_request)
);

-- What happened to a job: every status change appends here in its own statement, and so does every stage
-- that an attempt begins (`stage` is null for a status change).
create table workflow_job_events (
  id bigint generated always as identity primary key,
  job_id uuid not null references workflow_jobs (id) on delete cascade,
  run integer not null,
  attempt integer not null,
  from_status text,
  to_status text not null,
  reason text not null,
  actor text not null,
  stage text,
  progress smallint,
  at timestamptz not null default clock_timestamp()
);

create index workflow_job_events_job on workflow_job_events (job_id, id);

-- A stage's result, so that a second attempt does not pay for it again.
create table workflow_job_checkpoints (
  job_id uuid not null references workflow_jobs (id) on delete cascade,
  run integer not null,
  stage text not null,
  version smallint not null,
  result jsonb not null,
  created_at timestamptz not null default now(),
  primary key (job_id, run, stage)
);

-- One row a run: the intent to post, committed under the fence before the forge is called, then the review.
create table reviews (
  job_id uuid not null references workflow_jobs (id) on delete cascade,
  run integer not null,
  base text not null,
  head text not null,
  review jsonb not null,
  intended_at timestamptz not null default now(),
  posted_at timestamptz,
  url text,
  primary key (job_id, run)
);

-- Keys of the REST API. Only a hash is kept: 256 random bits need no slow hash.
create table api_keys (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  hash bytea not null unique,
  scopes text[] not null,
  created_at timestamptz not null default now(),
  revoked_at timestamptz,
  last_used_at timestamptz
);
