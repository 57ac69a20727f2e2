-- How many items each collection has, by month and tenth of cloud cover. Reads day_total, which is small.
select col, date_trunc('month', day::timestamp)::date as month, decile, sum(n)::bigint
from day_count group by 1, 2, 3
