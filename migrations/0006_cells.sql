-- Cells are counted over all time: nothing asked for their months, which made the counts of a million items as large as their index.

-- +goose Up
drop view cell_count;
create table cell_all (
  col      smallint not null,
  cell     int not null,
  n        bigint not null,
  primary key (col, cell)
);
insert into cell_all (col, cell, n) select col, cell, sum(n) from cell_total group by col, cell having sum(n) <> 0;
drop table cell_total;
alter table cell_all rename to cell_total;
alter index cell_all_pkey rename to cell_total_pkey;
create view cell_count as
  select col, cell, n from cell_total union all select col, cell, n from count_delta;

-- +goose Down
drop view cell_count;
create table cell_months (
  col      smallint not null,
  month    date not null,
  cell     int not null,
  n        bigint not null,
  primary key (col, month, cell)
);
insert into cell_months (col, month, cell, n)
  select col, date_trunc('month', utc_day(dt)::timestamp)::date, cell, count(*) from item group by 1, 2, 3;
insert into cell_months as t (col, month, cell, n)
  select col, date_trunc('month', day::timestamp)::date, cell, -sum(n) from count_delta group by 1, 2, 3
  on conflict (col, month, cell) do update set n = t.n + excluded.n;
drop table cell_total;
alter table cell_months rename to cell_total;
alter index cell_months_pkey rename to cell_total_pkey;
create view cell_count as
  select col, month, cell, n from cell_total
  union all select col, date_trunc('month', day::timestamp)::date, cell, n from count_delta;
