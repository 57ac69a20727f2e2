-- The items of one page, in its order. Uses item_pk, row by row.
with page as materialized ({{candidates}})
select i.col, i.updated, i.dict, i.body, p.dt, p.pk, p.cc, p.n, {{related}}, (select pg_current_snapshot()::text), coalesce(i.created, i.updated)
from page p
cross join lateral (select * from item g where g.pk = p.pk offset 0) i
order by {{order:p}}
