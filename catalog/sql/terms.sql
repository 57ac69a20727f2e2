-- Matching rows that have one of these terms, or a hash like it. Uses item_terms: for terms that are rare.
select i.dt, i.pk, i.cc
from item i
join collection c on c.number = i.col
where i.ph && @terms::int[] and (@collections::text[] is null or c.id = any(@collections::text[])) {{where}}
order by {{order:i}}
limit @limit::int
