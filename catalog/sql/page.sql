-- The items of one page, in its order. Uses item_pk.
with page as materialized ({{candidates}})
select c.id, i.updated, i.dict, i.body, p.dt, p.pk, p.cc {{related}}
from page p
join item i on i.pk = p.pk
join collection c on c.number = i.col
order by {{order:p}}
