-- What mirrors know of their hubs: how far each list has been read, and one row for each row of a hub, whatever became of it.

-- +goose Up
create table mirror_cursor (
  mirror   text not null,
  list     text not null,                         -- published, modified or deleted
  at       timestamptz not null,                  -- rows before are known; in the hub's time
  primary key (mirror, list)
);

create table mirror_product (
  mirror     text not null,
  id         text collate "C" not null,           -- the hub's
  name       text collate "C" not null,
  bytes      bigint not null,                     -- 0: the hub does not say
  checksums  text[] not null,                     -- ALGORITHM:digits
  published  timestamptz not null,
  modified   timestamptz not null,
  acquired   timestamptz,
  online     boolean not null,
  state      text not null check (state in ('wanted', 'held', 'superseded', 'quarantined', 'gone')),
  tries      int not null default 0,              -- of fetching it as it is now
  next_try   timestamptz not null default now(),
  reason     text not null default '',            -- of the last failure, or of the deletion
  first_seen timestamptz not null default now(),
  held_at    timestamptz,                         -- when it could be searched here
  held_bytes bigint,                              -- of what was fetched
  held_sums  text[],
  collection text,                                -- the item that it became; null: none, or none any more
  item       text,
  primary key (mirror, id)
);
create index mirror_product_name on mirror_product (mirror, name);
create index mirror_product_due on mirror_product (mirror, published desc) where state in ('wanted', 'quarantined');
create index mirror_product_gone on mirror_product (mirror) where state = 'gone' and item is not null;
create index mirror_product_acquired on mirror_product (mirror, acquired);

-- +goose Down
drop table mirror_product;
drop table mirror_cursor;
