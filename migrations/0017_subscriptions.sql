-- Subscriptions: searches bound to a process, each new item that matches becoming one job.

-- +goose Up
create table subscription (
  id       text collate "C" primary key,            -- UUID, version 7
  name     text not null,
  owner    text collate "C" not null,               -- account whose jobs they are; '' is strangers together
  process  text collate "C" not null,
  input    text not null,                           -- the input that is the product
  search   jsonb not null,                          -- as POST /search takes it
  request  jsonb not null,                          -- everything else that each job asks
  paused   boolean not null default false,
  reason   text not null default '',                -- why it was paused, when nobody asked for that
  created  timestamptz not null default now(),
  updated  timestamptz not null default now()
);

-- Items that matched. One row is one job: the key makes that so.
create table subscription_item (
  subscription text collate "C" not null references subscription on delete cascade,
  collection   text collate "C" not null,
  item         text collate "C" not null,
  at           timestamptz not null default now(),
  job          text collate "C",                    -- once it was accepted
  failure      text not null default '',            -- why it can't be a job
  next_try     timestamptz not null default now(),
  primary key (subscription, collection, item)
);
create index subscription_item_due on subscription_item (subscription, at) where job is null and failure = '';

-- Periods of the past whose items are looked for, and how far that came.
create table backfill (
  subscription text collate "C" not null references subscription on delete cascade,
  since        timestamptz not null,
  until        timestamptz not null,
  token        text not null default '',
  primary key (subscription, since, until)
);

-- Items that came, for those who look at them all. Nothing is written here before the first subscription: see catalog/arrivals.go.
create table item_came (
  n   bigint generated always as identity primary key,
  pk  bigint not null
);
-- +goose StatementBegin
create function item_came() returns trigger language plpgsql as $$
begin
  insert into item_came (pk) values (new.pk);
  return null;
end $$;
-- +goose StatementEnd

-- +goose Down
drop trigger if exists item_came on item;
drop function item_came();
drop table item_came, backfill, subscription_item, subscription;
