-- Matching rows of these names, newest first. Uses item_id.
select i.dt, i.pk
from collection c
join item i on i.col = c.number and i.idh = any(@hashes::bigint[]) and i.idk = any(@keys::bigint[])
where (@collections::text[] is null or c.id = any(@collections::text[])) {{time}} {{space}}
order by i.dt desc, i.pk desc
limit @limit::int
