-- Matching rows of the cells that the area meets, where they are so few that all are read; and how many they are. Uses item_cell, once for each
-- collection: to look into a list of cells takes half of what it takes to join them.
select i.dt, i.pk, i.cc, count(*) over () as n
from unnest(@cols::smallint[]) as c(number)
cross join lateral (
  select i.dt, i.pk, i.cc
  from item i
  where i.cell = any(@cells::int[]) and i.col = c.number {{where}}
  offset 0
) i
order by {{order:i}}
limit @limit::int
