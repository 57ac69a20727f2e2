-- The first matching rows of one collection, as walk.sql finds those of many.
select i.dt, i.pk, i.cc, null::bigint as n
from item i
where i.col = @col::smallint {{where}}
order by i.col, {{order:i}}
limit @limit::int
