-- Matching rows that column chunks name, and those that are too new for a chunk, row by row. Uses item_pk.
select i.dt, i.pk, i.cc, null::bigint as n
from (select unnest(@shortlist::bigint[]) as pk union select g.pk from item g where g.pk >= @unchunked::bigint) s
cross join lateral (select * from item g where g.pk = s.pk offset 0) i
where i.col = any(@cols::smallint[]) {{where}}
order by {{order:i}}
limit @limit::int
