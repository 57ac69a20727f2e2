-- The first matching items of the order of changes, whatever they are. Uses item_changed: what is asked for must have changed lately, else
-- all is read.
select i.dt, i.pk, i.cc, null::bigint as n
from item i
where i.col = any(@cols::smallint[]) {{where}}
order by {{order:i}}
limit @limit::int
