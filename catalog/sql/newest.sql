-- The newest items of one collection behind a place, without any other condition. Uses item_walk.
select i.col, i.updated, i.dict, i.body, i.dt, i.pk, i.cc, null::bigint, null::boolean[], (select pg_current_snapshot()::text), coalesce(i.created, i.updated)
from item i
where i.col = @col::smallint {{where}}
order by i.col, i.dt desc, i.pk desc
limit @limit::int
