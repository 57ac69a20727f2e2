-- Adds the counts of a batch to the totals, in the order of their keys so that nobody waits in a circle. Days are counted from
-- 2000-01-01. Makes another revision. Uses day_total_pkey and cell_total_pkey.
with days as (
  insert into day_total as t (col, day, decile, n)
  select col, date '2000-01-01' + since, decile, n
  from unnest($1::smallint[], $2::int[], $3::smallint[], $4::bigint[]) as d (col, since, decile, n) order by 1, 2, 3
  on conflict (col, day, decile) do update set n = t.n + excluded.n
), revised as (
  update item_revision set n = n + 1
)
insert into cell_total as t (col, cell, n)
select col, cell, n from unnest($5::smallint[], $6::int[], $7::bigint[]) as c (col, cell, n) order by 1, 2
on conflict (col, cell) do update set n = t.n + excluded.n
