-- Products by collection and day of acquisition, of the last year. Reads the totals and what has changed since.
select c.id, p.acquired, sum(p.n)::bigint, sum(p.bytes)::bigint
from product_count p join collection c on c.number = p.col
where p.acquired > (now() at time zone 'UTC')::date - 366
group by 1, 2
