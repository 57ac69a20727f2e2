-- The newest matching rows of the cells that the area meets, no older than a moment: where the estimates say that enough of them
-- are there, this reads a few rows of each cell instead of a page. Uses item_cell.
select i.dt, i.pk, i.cc, null::bigint as n
from unnest(@cols::smallint[]) as c(number)
cross join unnest(@cells::int[]) as q(cell)
join item i on i.cell = q.cell and i.col = c.number and i.dt >= @recent::timestamptz
where true {{where}}
order by {{order:i}}
limit @limit::int
