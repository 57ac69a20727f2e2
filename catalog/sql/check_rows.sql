-- Rows in the order of insertion, behind one, with what stands in each column. Uses item_pk.
select i.pk, i.col, coalesce(c.id, ''), i.col in (select col from removal), i.idh, i.idk, i.dt, i.begins, i.ends, i.cc, i.cell,
       i.x0, i.x1, i.y0, i.y1, i.grid, i.dict, i.orbit, i.plat, i.ph, i.geom, i.updated, i.body, i.product
from item i left join collection c on c.number = i.col
where i.pk > $1
order by i.pk limit $2
