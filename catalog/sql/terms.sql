-- Matching rows that have one of these terms, or a hash like it. Uses item_terms: for terms that are rare.
select i.dt, i.pk, i.cc, null::bigint as n
from item i
where i.ph && @terms::int[] and i.col = any(@cols::smallint[]) {{where}}
order by {{order:i}}
limit @limit::int
