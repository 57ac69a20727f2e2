-- What is told of the archive and of its use, kept with each change.

-- +goose Up
-- Changes append to product_delta, which is folded into the totals now and then; read the view product_count and sum n and bytes.
create table product_delta (
  col      smallint not null,
  plat     smallint not null,                     -- item.plat; 0: none
  acquired date not null,
  arrived  date,                                  -- the day of the arrival that this is; null: it is none
  n        int not null,
  bytes    bigint not null
);
create table product_total (
  col      smallint not null,
  plat     smallint not null,
  acquired date not null,
  n        bigint not null,
  bytes    bigint not null,
  primary key (col, acquired, plat)
);
create view product_count as
  select col, plat, acquired, n, bytes from product_total union all select col, plat, acquired, n, bytes from product_delta;
-- What came in, whatever became of it.
create table arrival (
  day      date not null,
  col      smallint not null,
  n        bigint not null,
  bytes    bigint not null,
  primary key (day, col)
);

-- +goose StatementBegin
create function product_changed() returns trigger language plpgsql as $$
begin
  if TG_OP <> 'INSERT' and old.product is not null then
    insert into product_delta values (old.col, coalesce(old.plat, 0), utc_day(old.dt), null, -1, -old.product);
  end if;
  if TG_OP <> 'DELETE' and new.product is not null then
    insert into product_delta values (new.col, coalesce(new.plat, 0), utc_day(new.dt), utc_day(new.updated), 1, new.product);
  end if;
  return null;
end $$;
-- +goose StatementEnd
create trigger product_came after insert on item for each row when (new.product is not null) execute function product_changed();
create trigger product_left after delete on item for each row when (old.product is not null) execute function product_changed();
create trigger product_moved after update on item for each row
  when ((old.product, old.dt, old.plat) is distinct from (new.product, new.dt, new.plat)) execute function product_changed();
insert into product_delta select col, coalesce(plat, 0), utc_day(dt), utc_day(coalesce(created, updated)), 1, product from item where product is not null;

-- Requests and what was sent, by day; collection is that of a file that was downloaded, '' of everything else.
create table traffic (
  day        date not null,
  collection text collate "C" not null,
  requests   bigint not null,
  seconds    double precision not null,            -- until the answers began
  bytes      bigint not null,
  primary key (day, collection)
);

-- +goose Down
drop trigger product_came on item;
drop trigger product_left on item;
drop trigger product_moved on item;
drop function product_changed();
drop view product_count;
drop table product_delta, product_total, arrival, traffic;
