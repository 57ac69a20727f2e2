-- Matching rows of these names. Uses item_id.
select i.dt, i.pk, i.cc, null::bigint as n
from item i
where i.col = any(@cols::smallint[]) and i.idh = any(@hashes::bigint[]) and i.idk = any(@keys::bigint[]) {{where}}
order by {{order:i}}
limit @limit::int
