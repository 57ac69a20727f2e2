-- The newest matching rows of each collection, merged: walks time until there are enough. Uses item_walk alone where
-- boxes decide, so that the table is read only for items at the edge of the area.
select s.dt, s.pk
from collection c
cross join lateral (
  select i.dt, i.pk
  from item i
  where i.col = c.number {{time}} {{space}}
  order by i.col, i.dt desc, i.pk desc
  limit @limit::int
) s
where @collections::text[] is null or c.id = any(@collections::text[])
order by s.dt desc, s.pk desc
limit @limit::int
