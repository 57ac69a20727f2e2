-- Matching rows that column chunks name, and those that are too new for a chunk. Uses item_pk.
select i.dt, i.pk, i.cc, null::bigint as n
from item i
where (i.pk = any(@shortlist::bigint[]) or i.pk >= @unchunked::bigint) and i.col = any(@cols::smallint[]) {{where}}
order by {{order:i}}
limit @limit::int
