-- What came in by collection and day, of the last year. Uses arrival_pkey, and reads what has changed since.
select c.id, a.day, sum(a.n)::bigint, sum(a.bytes)::bigint
from (select day, col, n, bytes from arrival union all select arrived, col, n, bytes from product_delta where arrived is not null) a
join collection c on c.number = a.col
where a.day > (now() at time zone 'UTC')::date - 366
group by 1, 2
