-- Matching rows of the cells that the area meets, put in order before their footprints are looked at: by the columns of the index
-- alone, so that of many rows only those that fill the page are read. Uses item_cell, once for each collection.
select i.dt, i.pk, i.cc, null::bigint as n
from (
  select i.*
  from unnest(@cols::smallint[]) as c(number)
  cross join lateral (
    select i.dt, i.pk, i.cc, i.x0, i.x1, i.y0, i.y1
    from item i
    where i.cell = any(@cells::int[]) and i.col = c.number {{where}}
    offset 0
  ) i
  order by {{order:i}}
  offset 0
) i
where true {{look}}
order by {{order:i}}
limit @limit::int
