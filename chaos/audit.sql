-- What the database itself sees of every write, for the oracle: it trusts nothing that the product says of itself.
-- Sessions of components are named `chaos:<pid>` (preload.ts); a lease names its worker as `<host>:<pid>`.
create schema chaos;

-- Writes by a process that did not hold the job at that moment.
create table chaos.stale_writes (
  at timestamptz not null default clock_timestamp(),
  job_id uuid not null,
  what text not null,
  writer text not null,
  holder text
);

-- How many writes were looked at: none would mean that the audit is blind.
create sequence chaos.looked_at;

-- Each intent to post, beside the head that was recorded for the pull request at that moment.
create table chaos.intents (
  job_id uuid not null,
  run integer not null,
  head text not null,
  recorded_head text,
  recorded_state text,
  xid xid not null
);

-- Each head that was recorded for a pull request.
create table chaos.heads (
  forge text not null,
  repository text not null,
  pull_request text not null,
  head text not null,
  state text not null,
  xid xid not null
);

create function chaos.look(job uuid, what text, holder text) returns void language plpgsql as $$
declare
  writer text := current_setting('application_name');
begin
  if writer not like 'chaos:%' then return; end if;
  perform nextval('chaos.looked_at');
  if split_part(writer, ':', 2) is distinct from split_part(holder, ':', 2) then
    insert into chaos.stale_writes (job_id, what, writer, holder) values (job, what, writer, holder);
  end if;
end $$;

create function chaos.see_job() returns trigger language plpgsql as $$
begin
  if new.status in ('COMPLETED', 'FAILED') then
    perform chaos.look(new.id, 'ended it as ' || new.status, case when old.status = 'PROCESSING' then old.worker end);
  elsif old.status = 'PROCESSING' and (new.status = 'PENDING' or (new.status = 'RETRYING' and new.lapses = old.lapses)) then
    perform chaos.look(new.id, 'gave it back as ' || new.status, old.worker);
  elsif new.status = old.status and (new.stage, new.progress) is distinct from (old.stage, old.progress) then
    perform chaos.look(new.id, 'told its progress', case when new.status = 'PROCESSING' then old.worker end);
  elsif new.status = 'PROCESSING' and old.status = 'PROCESSING' and new.lease_until > old.lease_until then
    perform chaos.look(new.id, 'renewed its lease', old.worker);
  end if;
  return null;
end $$;
create trigger chaos_see_job after update on workflow_jobs for each row execute function chaos.see_job();

create function chaos.see_part() returns trigger language plpgsql as $$
declare
  holder text;
begin
  select worker into holder from workflow_jobs where id = new.job_id and status = 'PROCESSING' and run = new.run;
  perform chaos.look(new.job_id, lower(tg_op) || ' of ' || tg_table_name, holder);
  return null;
end $$;
create trigger chaos_see_checkpoint after insert or update on workflow_job_checkpoints
  for each row execute function chaos.see_part();
create trigger chaos_see_review after insert or update on reviews for each row execute function chaos.see_part();

create function chaos.see_intent() returns trigger language plpgsql as $$
begin
  insert into chaos.intents (job_id, run, head, recorded_head, recorded_state, xid)
  select j.id, new.run, new.head, p.head, p.state, pg_current_xact_id()::xid
  from workflow_jobs j
  left join pull_requests p on (p.forge, p.repository, p.pull_request) = (j.forge, j.repository, j.pull_request)
  where j.id = new.job_id;
  return null;
end $$;
create trigger chaos_see_intent after insert on reviews for each row execute function chaos.see_intent();

create function chaos.see_head() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' or (new.head, new.state) is distinct from (old.head, old.state) then
    insert into chaos.heads (forge, repository, pull_request, head, state, xid)
    values (new.forge, new.repository, new.pull_request, new.head, new.state, pg_current_xact_id()::xid);
  end if;
  return null;
end $$;
create trigger chaos_see_head after insert or update on pull_requests for each row execute function chaos.see_head();
