-- Collections and items: each document once, beside the narrow columns that searches read.

-- +goose Up
create extension if not exists postgis;

create table collection (
  number        smallint generated always as identity primary key,
  id            text collate "C" not null unique,
  updated       timestamptz not null,
  body          json not null,            -- as it was put, without links; json keeps its text
  -- What the items cover, widened as they come in; null until the first. east may pass 180.
  west          double precision,
  south         double precision,
  east          double precision,
  north         double precision,
  begins        timestamptz,
  ends          timestamptz,
  -- How far the period of an item reaches before and after its datetime, at most: a search by time starts that much wider.
  reach_before  interval not null default '0',
  reach_after   interval not null default '0'
);

create table item (
  pk       bigint generated always as identity,   -- order of insertion: the tie-break of every order, and the join key
  idh      bigint not null,                       -- xxhash64 of id
  dt       timestamptz not null,                  -- datetime, or start_datetime where datetime is null
  updated  timestamptz not null,
  begins   timestamptz,                           -- the period, where it is more than dt
  ends     timestamptz,
  cell     int not null,                          -- loose cell: level<<24 | row<<12 | column; -1 without a geometry
  x0       int not null,                          -- bbox in 1e-5 degrees, rounded outward: x0 in [-180, 180), x1 may pass 180
  x1       int not null,
  y0       int not null,
  y1       int not null,
  cc       real,                                  -- eo:cloud_cover, percent
  col      smallint not null,                     -- collection.number; not a foreign key, which would cost every row of a bulk load
  dict     smallint not null,                     -- the dictionary that body was packed with; 0 is none
  id       text collate "C" not null,
  geom     geometry not null,                     -- exact, split at the antimeridian; only ever looked at again, so not indexed
  body     bytea not null                         -- zstd
);
alter table item alter body set storage external; -- it is packed already
alter table item set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000);

create unique index item_pk   on item (pk);
create unique index item_id   on item (col, idh);
create index        item_walk on item (col, dt desc, pk desc)       include (x0, x1, y0, y1, cc);
create index        item_cell on item (cell, col, dt desc, pk desc) include (x0, x1, y0, y1, cc);

-- +goose Down
drop table item;
drop table collection;
