-- Items that are gone, behind a place; x0 is greater than x1 of one without a place, as in item. Uses tombstone_at, tombstone_published or tombstone_updated.
select i.pk, i.at, i.published, i.updated, i.col, i.dict, i.body, {{related}}
from (select t.*, 0 as x0, case when st_isempty(shape(t.geom)) then -1 else 0 end as x1 from tombstone t) i
where i.col = any(@cols::smallint[]) and i.at >= @since::timestamptz and i.at <= @until::timestamptz {{products}} {{place}}
order by {{column}} {{direction}}, i.pk {{direction}}
limit @limit::int
