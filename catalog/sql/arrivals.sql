-- Items that came since they were last asked for, oldest first, and those of them that are still there. Uses item_came_pkey and item_pk.
select c.n, coalesce(i.col, 0), coalesce(i.dict, 0), i.body
from (select n, pk from item_came order by n limit $1) c
left join item i on i.pk = c.pk
order by c.n
