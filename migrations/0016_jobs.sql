-- Jobs: executions of processes, their logs and the calls that tell others of their end; and the tables of River, which hands jobs out.

-- +goose Up
create table job (
  id           text collate "C" primary key,           -- UUID, version 7
  process      text collate "C" not null,
  version      text not null,                          -- of the process, that the job was accepted with
  owner        text collate "C" not null default '',   -- account; '' is strangers together
  priority     int not null default 3,                 -- 1 goes first
  request      jsonb not null,                         -- as it was asked
  inputs       jsonb not null,                         -- as they were resolved: see processes.bound
  subscription text collate "C" not null default '',
  memory_mib   int not null,
  minutes      int not null,
  status       text not null default 'accepted' check (status in ('accepted', 'running', 'successful', 'failed', 'dismissed')),
  message      text not null default '',
  failure      text not null default '',               -- kind of the fault of one that failed
  progress     int not null default 0,
  created      timestamptz not null default now(),
  updated      timestamptz not null default now(),
  started      timestamptz,
  finished     timestamptz,
  expires      timestamptz,                            -- of its results and its log
  results      jsonb,                                  -- of one that is successful, until they expire
  bytes        bigint not null default 0,              -- of its inputs

  lease        int not null default 0,                 -- raised by whoever takes the job away: of a number that has passed nothing is stored
  ticket       int,                                    -- the lease for which there is a ticket
  ticket_at    timestamptz,
  worker       text collate "C" not null default '',   -- the process that has it or had it last
  beat         timestamptz,                            -- when that was heard of
  not_before   timestamptz not null default now(),
  attempts     int not null default 0,                 -- how often it was begun
  failures     int not null default 0,                 -- of them by a failure that was ours
  losses       int not null default 0,                 -- of them with a worker that was lost
  dirty        boolean not null default false          -- it may have left objects that are no results
);
create index job_owner on job (owner, created desc, id desc);
create index job_created on job (created desc, id desc);
create index job_waiting on job (priority, created, id) where status = 'accepted';
create index job_running on job (beat) where status = 'running';
create index job_live on job (owner) where status in ('accepted', 'running');
create index job_expires on job (expires) where results is not null;
create index job_dirty on job (finished) where dirty;
create index job_subscription on job (subscription, created desc) where subscription <> '';

-- What a job's runs say, in pieces; a piece begins at a byte of the whole.
create table job_log (
  job   text collate "C" not null references job on delete cascade,
  start bigint not null,
  body  text not null,
  primary key (job, start)
);

-- Calls that tell a subscriber how a job stands; a row leaves when it was heard or given up.
create table job_call (
  id       bigint generated always as identity primary key,
  job      text collate "C" not null references job on delete cascade,
  event    text not null check (event in ('inProgress', 'success', 'failed')),
  url      text not null,
  tries    int not null default 0,
  next_try timestamptz not null default now()
);
create index job_call_next on job_call (next_try);

-- Whoever waits for a job hears of every change of its state.
-- +goose StatementBegin
create function job_tell() returns trigger language plpgsql as $$
begin
  perform pg_notify('swath_job', new.id || ' ' || new.status);
  return null;
end $$;
-- +goose StatementEnd
create trigger job_tell_insert after insert on job for each row execute function job_tell();
create trigger job_tell_update after update of status on job for each row when (old.status is distinct from new.status) execute function job_tell();

-- River v0.51.1, as its own migrations leave it (line main, version 8).
create type river_job_state as enum ('available', 'cancelled', 'completed', 'discarded', 'pending', 'retryable', 'running', 'scheduled');
create table river_job (
  id           bigserial primary key,
  state        river_job_state not null default 'available',
  attempt      smallint not null default 0,
  max_attempts smallint not null default 25,
  attempted_at timestamptz,
  created_at   timestamptz not null default now(),
  finalized_at timestamptz,
  scheduled_at timestamptz not null default now(),
  priority     smallint not null default 1,
  args         jsonb not null,
  attempted_by text[],
  errors       jsonb[],
  kind         text not null,
  metadata     jsonb not null default '{}',
  queue        text not null default 'default',
  tags         varchar(255)[] not null default '{}',
  unique_key   bytea,
  unique_states bit(8),
  constraint finalized_or_finalized_at_null check (
    (finalized_at is null and state not in ('cancelled', 'completed', 'discarded')) or (finalized_at is not null and state in ('cancelled', 'completed', 'discarded'))),
  constraint kind_length check (char_length(kind) > 0 and char_length(kind) < 128),
  constraint max_attempts_is_positive check (max_attempts > 0),
  constraint priority_in_range check (priority >= 1 and priority <= 4),
  constraint queue_length check (char_length(queue) > 0 and char_length(queue) < 128)
);
-- +goose StatementBegin
create function river_job_state_in_bitmask(bitmask bit(8), state river_job_state) returns boolean language sql immutable as $$
    SELECT CASE state
        WHEN 'available' THEN get_bit(bitmask, 7)
        WHEN 'cancelled' THEN get_bit(bitmask, 6)
        WHEN 'completed' THEN get_bit(bitmask, 5)
        WHEN 'discarded' THEN get_bit(bitmask, 4)
        WHEN 'pending'   THEN get_bit(bitmask, 3)
        WHEN 'retryable' THEN get_bit(bitmask, 2)
        WHEN 'running'   THEN get_bit(bitmask, 1)
        WHEN 'scheduled' THEN get_bit(bitmask, 0)
        ELSE 0
    END = 1;
$$;
-- +goose StatementEnd
create index river_job_args_index on river_job using gin (args);
create index river_job_kind on river_job (kind);
create index river_job_metadata_index on river_job using gin (metadata);
create index river_job_prioritized_fetching_index on river_job (state, queue, priority, scheduled_at, id);
create index river_job_state_and_finalized_at_index on river_job (state, finalized_at) where finalized_at is not null;
create unique index river_job_unique_idx on river_job (unique_key)
  where unique_key is not null and unique_states is not null and river_job_state_in_bitmask(unique_states, state);
create unlogged table river_leader (
  elected_at timestamptz not null,
  expires_at timestamptz not null,
  leader_id  text not null,
  name       text primary key default 'default',
  constraint leader_id_length check (char_length(leader_id) > 0 and char_length(leader_id) < 128),
  constraint name_length check (name = 'default')
);
create table river_notification (
  id         bigserial primary key,
  created_at timestamptz not null default now(),
  payload    text not null,
  topic      text not null,
  constraint topic_length check (length(topic) > 0 and length(topic) < 128)
);
create index river_notification_created_at_idx on river_notification (created_at);
create index river_notification_topic_id_idx on river_notification (topic, id);
create table river_queue (
  name       text primary key,
  created_at timestamptz not null default now(),
  metadata   jsonb not null default '{}',
  paused_at  timestamptz,
  updated_at timestamptz not null default current_timestamp
);
create table river_migration (
  line       text not null,
  version    bigint not null,
  created_at timestamptz not null default now(),
  primary key (line, version),
  constraint line_length check (char_length(line) > 0 and char_length(line) < 128),
  constraint version_gte_1 check (version >= 1)
);
insert into river_migration (line, version) select 'main', generate_series(1, 8);

-- +goose Down
drop table river_migration, river_queue, river_notification, river_leader, river_job;
drop function river_job_state_in_bitmask;
drop type river_job_state;
drop table job_call, job_log, job;
drop function job_tell;
