-- Matching rows of these names. Uses item_id.
select i.dt, i.pk, i.cc
from collection c
join item i on i.col = c.number and i.idh = any(@hashes::bigint[]) and i.idk = any(@keys::bigint[])
where (@collections::text[] is null or c.id = any(@collections::text[])) {{where}}
order by {{order:i}}
limit @limit::int
