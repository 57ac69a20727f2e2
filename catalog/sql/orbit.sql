-- The first matching rows of each collection and relative orbit, merged. Uses item_orbit; the table is read where more is asked.
select s.dt, s.pk, null::double precision as cc, null::bigint as n
from unnest(@cols::smallint[]) as c(number)
cross join unnest(@orbits::smallint[]) as o(number)
cross join lateral (
  select i.dt, i.pk
  from item i
  where i.col = c.number and i.orbit = o.number {{where}}
  order by i.col, i.orbit, {{order:i}}
  limit @limit::int
) s
order by {{order:s}}
limit @limit::int
