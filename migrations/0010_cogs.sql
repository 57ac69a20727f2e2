-- COGs that are made of JPEG 2000 objects when these are looked at.

-- +goose Up
create table cog_on_demand (
  source text collate "C" primary key,            -- key of the object that it is made of
  object text collate "C" not null,               -- its own key
  state  text not null check (state in ('making', 'ready', 'failed', 'leaving')),
  bytes  bigint not null default 0,
  since  timestamptz not null default clock_timestamp(), -- of the state
  used   timestamptz not null default clock_timestamp()
);
create index cog_on_demand_since on cog_on_demand (since);

-- +goose Down
drop table cog_on_demand;
