-- Copies of objects in an archive: where the bytes of each are, who asked for them, and how far that has come.

-- +goose Up
create table copy (
  key          text collate "C" primary key,      -- of the object
  collection   text collate "C" not null,
  item         text collate "C" not null,
  bytes        bigint not null,
  sha256       text not null,
  content_type text not null,
  modified     timestamptz not null,              -- of the object, before it was archived
  state        text not null check (state in ('cold', 'queued', 'restoring', 'verifying', 'online', 'evicting', 'failed', 'unavailable')),
  version      bigint not null default 1,         -- one more with each move
  volume       text not null default '',          -- where on which tape, as far as the archive says
  place        bigint not null default 0,
  tries        int not null default 0,            -- restores that failed since it was queued
  next_try     timestamptz not null default '-infinity',
  reason       text not null default '',          -- of the last failure
  added_at     timestamptz not null default now(),
  queued_at    timestamptz,
  restoring_at timestamptz,
  online_at    timestamptz,                       -- null: its bytes take no room of the buffer
  expires_at   timestamptz,
  read_at      timestamptz,
  pinned_until timestamptz not null default '-infinity'  -- a download in flight keeps it until then
);
create index copy_item on copy (collection, item);
create index copy_busy on copy (state, next_try) where state <> 'cold';
create index copy_added on copy (added_at);

create table stage_order (
  id         text primary key,
  owner      text not null,                       -- '': nobody's name is known
  lane       text not null check (lane in ('user', 'operator', 'ingest')),
  created_at timestamptz not null default now(),
  single     boolean not null                     -- made by asking for one file
);
create index stage_order_owner on stage_order (owner, created_at desc, id);

create table stage_request (
  order_id text not null references stage_order (id) on delete cascade,
  key      text collate "C" not null references copy (key) on delete cascade,
  asset    text not null,
  owner    text not null,
  lane     text not null,
  bytes    bigint not null,
  asked_at timestamptz not null default now(),
  outcome  text not null default 'open' check (outcome in ('open', 'served', 'failed', 'canceled')),
  done_at  timestamptz,
  primary key (order_id, key)
);
create index stage_request_open on stage_request (key) where outcome = 'open';
create index stage_request_waiting on stage_request (owner) include (bytes) where outcome = 'open';
create index stage_request_served on stage_request (done_at) include (owner, bytes) where outcome = 'served';

-- +goose Down
drop table stage_request;
drop table stage_order;
drop table copy;
