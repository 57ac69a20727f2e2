-- The first matching rows of each cell that the area meets, merged: for areas that are small beside what is stored, or empty.
-- Uses item_cell as walk.sql uses item_walk.
select s.dt, s.pk, s.cc, null::bigint as n
from unnest(@cols::smallint[]) as c(number)
cross join unnest(@cells::int[]) as q(cell)
cross join lateral (
  select i.dt, i.pk, i.cc
  from item i
  where i.cell = q.cell and i.col = c.number {{where}}
  order by i.cell, i.col, {{order:i}}
  limit @limit::int
) s
order by {{order:s}}
limit @limit::int
