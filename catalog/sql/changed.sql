-- The first matching items of the order of changes, whatever they are, of a stretch of time that is read at once. Uses item_changed.
select i.dt, i.pk, i.cc, null::bigint as n
from item i
where i.col = any(@cols::smallint[]) and i.updated < @changed_until::timestamptz {{where}}
order by {{order:i}}
limit @limit::int
