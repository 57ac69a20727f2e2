-- Products by collection, platform and month of acquisition. Reads the totals and what has changed since.
select c.id, coalesce(w.text, ''), date_trunc('month', p.acquired)::date, sum(p.n)::bigint, sum(p.bytes)::bigint
from product_count p join collection c on c.number = p.col left join word w on w.kind = 'p' and w.number = p.plat
group by 1, 2, 3
