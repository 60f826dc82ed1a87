-- What people told the reviewer by commands: it leaves the pull request alone until it is told otherwise.
-- `hold_at` is when the command came: an older one that is tried again does not undo a newer one.
alter table pull_requests add column hold text check (hold in ('paused', 'ignored'));
alter table pull_requests add column hold_at timestamptz;

-- Findings that people told the reviewer to forget, by `ignore` in their threads.
create table dismissed_findings (
  forge text not null,
  repository text not null,
  pull_request text not null,
  finding_id text not null,
  dismissed_by text not null,
  dismissed_at timestamptz not null default now(),
  primary key (forge, repository, pull_request, finding_id)
);

-- Recalling the reviews of a pull request, newest first.
create index workflow_jobs_pull_request on workflow_jobs (forge, repository, pull_request, created_at desc)
  where pull_request is not null;

-- Keys made at random by this installation for itself, as the one behind the hidden markers in what it posts.
create table installation_keys (
  name text primary key,
  key bytea not null,
  created_at timestamptz not null default now()
);

-- Deliveries that the forge could not hand over, and what was done about them.
create table redeliveries (
  forge text not null,
  -- The forge's id of the delivery (the same in each attempt), and of its newest attempt.
  delivery_id text not null,
  attempt_id text not null,
  -- The hook or app it belongs to, in the forge's words.
  source text not null,
  event text not null,
  failed_at timestamptz not null,
  -- What the failed attempt answered: an HTTP status or a word.
  failure text not null,
  requests integer not null default 0,
  requested_at timestamptz,
  outcome text not null default 'found' check (outcome in ('found', 'requested', 'recovered', 'refused', 'given-up')),
  detail text,
  updated_at timestamptz not null default now(),
  primary key (forge, delivery_id)
);

-- How far polling has come, where a forge cannot reach us with webhooks.
create table poll_cursors (
  forge text not null,
  repository text not null,
  cursor text not null,
  updated_at timestamptz not null default now(),
  primary key (forge, repository)
);

-- Who did last what only one process at a time should do every so often.
create table turns (
  name text primary key,
  taken_at timestamptz not null default now()
);
