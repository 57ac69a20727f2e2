-- Column chunks: the numbers of one property of 4096 items side by side, so that a range of a property without an index is
-- found by reading 4 bytes an item. A chunk may name too many items, never too few: bodies are looked at again.

-- +goose Up
create table chunk_property (
  name     text collate "C" primary key,    -- dotted where objects are nested
  upto     bigint not null                  -- every block below has a chunk; block = pk / 4096
);

create table chunk (
  name     text collate "C" not null,
  block    bigint not null,
  n        int not null,                    -- items that have a number; of those:
  lo       real not null,
  hi       real not null,
  vals     bytea not null,                  -- 4096 float32, little endian, NaN where there is none; empty when n is 0
  primary key (name, block)
);
alter table chunk alter vals set storage external;

-- Items that were replaced since their chunks were made. They are looked at whatever the chunks say, until these are mended.
-- (One that was removed may stay in its chunk: it is found nowhere else. One that is new has no chunk yet.)
create table chunk_stale (pk bigint not null);

-- +goose StatementBegin
create function item_replaced() returns trigger language plpgsql as $$
begin
  insert into chunk_stale (pk) select pk from replaced;
  return null;
end $$;
-- +goose StatementEnd
create trigger item_replaced after update on item
  referencing new table as replaced for each statement execute function item_replaced();

-- +goose Down
drop trigger item_replaced on item;
drop function item_replaced();
drop table chunk_stale, chunk, chunk_property;
