-- Moves what changed into the totals. One does it at a time.
with moved as (
  delete from product_delta where pg_try_advisory_xact_lock(1937006964) returning col, plat, acquired, arrived, n, bytes
), came as (
  insert into arrival as a (day, col, n, bytes)
  select arrived, col, sum(n), sum(bytes) from moved where arrived is not null group by 1, 2 order by 1, 2
  on conflict (day, col) do update set n = a.n + excluded.n, bytes = a.bytes + excluded.bytes
)
insert into product_total as t (col, acquired, plat, n, bytes)
select col, acquired, plat, sum(n), sum(bytes) from moved group by 1, 2, 3 order by 1, 2, 3
on conflict (col, acquired, plat) do update set n = t.n + excluded.n, bytes = t.bytes + excluded.bytes
