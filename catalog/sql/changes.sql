-- The first matching products of an order of changes. Uses item_published or item_modified.
select i.dt, i.pk, i.cc, null::bigint as n
from item i
where i.product is not null and i.col = any(@cols::smallint[]) {{where}}
order by {{order:i}}
limit @limit::int
