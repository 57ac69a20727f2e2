-- The catalog at the size of an archive: rows without the text of their id, the terms of their properties, dictionaries for
-- bodies, and counts that are kept as items come and go.

-- +goose Up
alter table item rename to item_before;
drop index item_pk, item_id, item_walk, item_cell;

create table item (
  pk       bigint generated always as identity,   -- order of insertion: the tie-break of every order, and the join key
  idh      bigint not null,                       -- xxhash64 of the id
  idk      bigint not null,                       -- the first 8 bytes of its SHA-256: with idh the identity; the text is in the body
  dt       timestamptz not null,                  -- datetime, or start_datetime where datetime is null
  updated  timestamptz not null default now(),
  begins   timestamptz,                           -- the period, where it is more than dt
  ends     timestamptz,
  cc       double precision,                      -- eo:cloud_cover as it is written; null where it is missing or no number
  cell     int not null,                          -- loose cell: level<<24 | row<<12 | column; -1 without a geometry
  x0       int not null,                          -- bbox in 1e-5 degrees, rounded outward: x0 in [-180, 180), x1 may pass 180
  x1       int not null,
  y0       int not null,
  y1       int not null,
  grid     int,                                   -- word of grid:code, or else of MGRS- and s2:mgrs_tile; 0: see the body
  col      smallint not null,                     -- collection.number; not a foreign key, which would cost every row of a bulk load
  dict     smallint not null,                     -- dictionary.number that body was packed with; 0 is none
  orbit    smallint,                              -- sat:relative_orbit; -1: see the body
  plat     smallint,                              -- word of platform; 0: see the body
  ph       int[] not null,                        -- terms of the other properties and of the texts, see terms.go; sorted
  geom     bytea not null,                        -- shape(geom) is it, exact, split at the antimeridian; only looked at again
  body     bytea not null                         -- zstd
);
alter table item alter body set storage external; -- it is packed already
alter table item alter geom set storage external;

-- The geometry that item.geom holds: TWKB of seven decimals where that is exact, which is 70 bytes less of a quadrangle, and
-- else EWKB, which begins with the byte 1.
create function shape(geom bytea) returns geometry language sql immutable parallel safe
  return case when get_byte(geom, 0) = 1 then st_geomfromewkb(geom) else st_setsrid(st_geomfromtwkb(geom), 4326) end;
alter table item set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000);

-- What items are counted by: the day in UTC, and the tenth of cloud cover, -1 without any.
create function utc_day(at timestamptz) returns date language sql immutable parallel safe
  return (at at time zone 'UTC')::date;
create function decile(cc double precision) returns smallint language sql immutable parallel safe
  return case when cc is null then -1 else floor(least(greatest(cc, 0), 99) / 10) end::smallint; -- greatest passes nulls over

-- What is derived from bodies is worked out when the catalog opens: the items after one pk, up to another.
create table rederive (after bigint not null, upto bigint not null);
insert into rederive select min(pk) - 1, max(pk) from item_before having count(*) > 0;

insert into item (pk, idh, idk, dt, updated, begins, ends, cc, cell, x0, x1, y0, y1, col, dict, ph, geom, body)
overriding system value
select pk, idh, ('x' || encode(substr(sha256(convert_to(id, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint, dt, updated, begins, ends,
       cc, cell, x0, x1, y0, y1, col, dict, '{}', st_asewkb(geom, 'NDR'), body
from item_before order by pk;
select setval(pg_get_serial_sequence('item', 'pk'), coalesce((select max(pk) from item), 0) + 1, false);
drop table item_before;

create unique index item_pk    on item (pk);
create unique index item_id    on item (col, idh);
-- Newest first is read backward: what comes in is mostly newer than what is there, and at the end of a range pages are left full.
create index        item_walk  on item (col, dt, pk)       include (x0, x1, y0, y1, grid, orbit, plat, cc);
create index        item_cell  on item (cell, col, dt, pk) include (x0, x1, y0, y1, grid, orbit, plat, cc);
create index        item_cc    on item (col, cc, dt desc, pk desc) include (x0, x1, y0, y1) where cc is not null;
create index        item_terms on item using gin (ph) with (fastupdate = off);

-- The texts that item.grid (kind g) and item.plat (kind p) stand for. A number never changes.
create table word (
  kind     "char" not null,
  number   int not null,
  text     text collate "C" not null,
  primary key (kind, number),
  unique (kind, text)
);

-- Dictionaries of packed bodies. They never change, and stay as long as the database: an item names its own.
create table dictionary (
  number   smallint generated always as identity primary key,
  col      smallint not null unique,
  bytes    bytea not null
);

-- How many items there are, by day and by place. Single writes append to count_delta, which is folded into the totals now
-- and then; read the views day_count and cell_count, which are exact, and sum n.
create table day_total (
  col      smallint not null,
  day      date not null,                         -- utc_day(dt)
  decile   smallint not null,                     -- decile(cc)
  n        bigint not null,
  primary key (col, day, decile)
);
create table cell_total (
  col      smallint not null,
  month    date not null,                         -- its first day
  cell     int not null,
  n        bigint not null,
  primary key (col, month, cell)
);
create table count_delta (
  n        bigint not null,
  day      date not null,
  cell     int not null,
  col      smallint not null,
  decile   smallint not null
);
create view day_count as
  select col, day, decile, n from day_total union all select col, day, decile, n from count_delta;
create view cell_count as
  select col, month, cell, n from cell_total
  union all select col, date_trunc('month', day::timestamp)::date, cell, n from count_delta;

-- What the items of a collection hold of each property; only ever widened.
create table property (
  col      smallint not null,
  name     text collate "C" not null,             -- dotted where objects are nested
  kinds    int not null,                          -- sum of 1 text, 2 time, 4 integer, 8 other number, 16 boolean, 32 array, 64 object
  lo       double precision,                      -- of numbers
  hi       double precision,
  words    text[] collate "C" not null,           -- distinct short texts, those in arrays included, sorted
  many     boolean not null,                      -- there were too many or too long texts to list: words is empty
  primary key (col, name)
);

-- Collections that were removed, and whose items are still being removed.
create table removal (col smallint primary key);

-- Every process that holds collections in memory hears of a change when it is committed.
-- +goose StatementBegin
create function collection_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('swath_collection', '');
  return null;
end $$;
-- +goose StatementEnd
create trigger collection_changed after insert or update or delete or truncate on collection
  for each statement execute function collection_changed();
create trigger property_changed after insert or update or delete or truncate on property
  for each statement execute function collection_changed();

-- +goose Down
-- Items can't go back: the text of their id is packed into bodies that the step before could not read.
drop trigger collection_changed on collection;
drop view day_count, cell_count;
drop table item, rederive, word, dictionary, day_total, cell_total, count_delta, property, removal;
drop function collection_changed(), utc_day(timestamptz), decile(double precision), shape(bytea);

create table item (
  pk       bigint generated always as identity,
  idh      bigint not null,
  dt       timestamptz not null,
  updated  timestamptz not null,
  begins   timestamptz,
  ends     timestamptz,
  cell     int not null,
  x0       int not null,
  x1       int not null,
  y0       int not null,
  y1       int not null,
  cc       real,
  col      smallint not null,
  dict     smallint not null,
  id       text collate "C" not null,
  geom     geometry not null,
  body     bytea not null
);
alter table item alter body set storage external;
alter table item set (autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000);
create unique index item_pk   on item (pk);
create unique index item_id   on item (col, idh);
create index        item_walk on item (col, dt desc, pk desc)       include (x0, x1, y0, y1, cc);
create index        item_cell on item (cell, col, dt desc, pk desc) include (x0, x1, y0, y1, cc);
