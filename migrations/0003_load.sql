-- Bulk loads: how far each came, and the indexes that are set aside while an empty catalog is filled.

-- +goose Up
create table load_mark (
  source     text primary key,       -- what the file was known by: a sum of its size, time, both ends and the options
  line       bigint not null,        -- lines that are done
  bytes      bigint not null,        -- where the next line begins, unpacked
  loaded     bigint not null,
  unchanged  bigint not null,
  replaced   bigint not null,
  rejected   bigint not null,
  at         timestamptz not null    -- of the last batch; old marks are removed
);

create table set_aside (
  name       text primary key,       -- of an index of item that is to be built again
  definition text not null           -- the statement that does it
);

-- +goose Down
drop table set_aside;
drop table load_mark;
