-- The items of one page of some relative orbits of each collection, merged in its order. Uses item_orbit, and reads each row once: page.sql
-- would read it again.
select s.col, s.updated, s.dict, s.body, s.dt, s.pk, null::double precision, null::bigint, s.related, (select pg_current_snapshot()::text), s.created
from unnest(@cols::smallint[]) as c(number)
cross join unnest(@orbits::smallint[]) as o(number)
cross join lateral (
  select i.col, i.updated, i.dict, i.body, i.dt, i.pk, {{related}} as related, coalesce(i.created, i.updated) as created
  from item i
  where i.col = c.number and i.orbit = o.number {{where}}
  order by i.col, i.orbit, {{order:i}}
  limit @limit::int
) s
order by {{order:s}}
limit @limit::int
