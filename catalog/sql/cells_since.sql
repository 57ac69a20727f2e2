-- The newest matching rows of the cells that the area meets, no older than a moment: where the estimates say that enough of them
-- are there, this reads a few rows of each cell instead of a page. Uses item_cell, once for each collection: "offset 0" keeps the
-- planner from joining the collections last, and reading all of each cell.
select s.dt, s.pk, s.cc, null::bigint as n
from unnest(@cols::smallint[]) as c(number)
cross join lateral (
  select i.dt, i.pk, i.cc
  from item i
  where i.cell = any(@cells::int[]) and i.col = c.number and i.dt >= @recent::timestamptz {{where}}
  offset 0
) s
order by {{order:s}}
limit @limit::int
