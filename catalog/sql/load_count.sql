-- Adds the counts of a batch to the totals, in the order of their keys so that nobody waits in a circle. Days are counted from
-- 2000-01-01. Uses day_total_pkey and cell_total_pkey.
with delta as (
  select col, date '2000-01-01' + since as day, decile, cell, n
  from unnest($1::smallint[], $2::int[], $3::smallint[], $4::int[], $5::bigint[]) as d (col, since, decile, cell, n)
), days as (
  insert into day_total as t (col, day, decile, n)
  select col, day, decile, sum(n) from delta group by col, day, decile order by col, day, decile
  on conflict (col, day, decile) do update set n = t.n + excluded.n
)
insert into cell_total as t (col, month, cell, n)
select col, date_trunc('month', day::timestamp)::date, cell, sum(n) from delta group by 1, 2, 3 order by 1, 2, 3
on conflict (col, month, cell) do update set n = t.n + excluded.n
