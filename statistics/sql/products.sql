-- Products by collection, platform and month of acquisition. Reads the totals and what has changed since.
select c.id, coalesce(w.text, ''), p.month, p.n, p.bytes
from (
  select col, plat, acquired - (extract(day from acquired)::int - 1) as month, sum(n)::bigint as n, sum(bytes)::bigint as bytes from product_count group by 1, 2, 3
) p join collection c on c.number = p.col left join word w on w.kind = 'p' and w.number = p.plat
