-- Matching rows of the cells that the area meets, where they are so few that all are read; and how many they are. Uses item_cell.
select i.dt, i.pk, i.cc, count(*) over () as n
from unnest(@cells::int[]) as q(cell)
join item i on i.cell = q.cell and i.col = any(@cols::smallint[])
where true {{where}}
order by {{order:i}}
limit @limit::int
