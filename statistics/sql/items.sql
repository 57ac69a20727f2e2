-- Items by collection, products or not. Reads the counts of the catalog.
select c.id, coalesce(d.n, 0)::bigint
from collection c left join (select col, sum(n) as n from day_count group by 1) d on d.col = c.number
