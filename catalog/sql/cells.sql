-- The newest matching rows of each cell that the area meets, merged: for areas that are small beside what is stored.
-- Uses item_cell as walk.sql uses item_walk.
select s.dt, s.pk
from collection c
cross join unnest(@cells::int[]) as q(cell)
cross join lateral (
  select i.dt, i.pk
  from item i
  where i.cell = q.cell and i.col = c.number {{time}} {{space}}
  order by i.cell, i.col, i.dt desc, i.pk desc
  limit @limit::int
) s
where @collections::text[] is null or c.id = any(@collections::text[])
order by s.dt desc, s.pk desc
limit @limit::int
