-- Folds some of the single counts into the totals, in the order of their keys so that nobody waits in a circle, and makes another revision. Uses
-- day_total_pkey and cell_total_pkey.
with folded as (
  delete from count_delta where ctid = any (array(select ctid from count_delta limit $1))
  returning n, day, cell, col, decile
), days as (
  insert into day_total as t (col, day, decile, n)
  select col, day, decile, sum(n) from folded group by col, day, decile having sum(n) <> 0 order by col, day, decile
  on conflict (col, day, decile) do update set n = t.n + excluded.n
), revised as (
  update item_revision set n = n + 1 where exists (select from folded)
), cells as (
  insert into cell_total as t (col, cell, n)
  select col, cell, sum(n) from folded group by col, cell having sum(n) <> 0 order by col, cell
  on conflict (col, cell) do update set n = t.n + excluded.n
)
select count(*) from folded
