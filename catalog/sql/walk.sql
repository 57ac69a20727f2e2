-- The first matching rows of each collection, merged: walks an order until there are enough. Uses item_walk, or item_cc where
-- cloud cover orders, alone where their columns decide, so that the table is read only for what must be looked at again.
select s.dt, s.pk, s.cc, null::bigint as n
from unnest(@cols::smallint[]) as c(number)
cross join lateral (
  select i.dt, i.pk, i.cc
  from item i
  where i.col = c.number {{where}}
  order by i.col, {{order:i}}
  limit @limit::int
) s
order by {{order:s}}
limit @limit::int
