-- Products that can be had whole: when they came, when they changed and when they left, so that others can mirror them.

-- +goose Up
alter table item add column created timestamptz; -- when it came, if it has been changed since: else that is updated
alter table item add column product bigint;      -- bytes of the original product, if it is here
-- A moment for each row, so that those of one transaction can be told apart.
alter table item alter column updated set default clock_timestamp();

-- What changes are listed by: of items without a product nobody asks for that.
create index item_published on item (coalesce(created, updated), pk) where product is not null;
create index item_modified  on item (updated, pk) where product is not null;

-- Items from before whose product column is worked out when the catalog opens: those after one pk, up to another.
create table find_products (after bigint not null, upto bigint not null);
insert into find_products select min(pk) - 1, max(pk) from item having count(*) > 0;

-- Products that are gone, as they were last.
create table tombstone (
  pk        bigint generated always as identity,
  at        timestamptz not null default clock_timestamp(),
  published timestamptz not null,
  updated   timestamptz not null,
  col       smallint not null,
  dict      smallint not null,
  geom      bytea not null,                        -- shape(geom) is it
  body      bytea not null
);
create index tombstone_at on tombstone (at, pk);

-- +goose Down
drop table tombstone, find_products;
drop index if exists item_published, item_modified;
delete from set_aside where name in ('item_published', 'item_modified');
alter table item alter column updated set default now();
alter table item drop column created, drop column product;
