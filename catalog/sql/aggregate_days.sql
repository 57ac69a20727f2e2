-- The same from the counters of days: for collections and whole days alone. Reads day_total of the collections.
with counted as (
  select {{key}} as key, sum(d.n)::bigint as n
  from day_count d
  where d.col = any(@cols::smallint[])
    and (@first::date is null or d.day >= @first::date) and (@last::date is null or d.day <= @last::date)
  group by 1
)
select key, n, (sum(n) over ())::bigint from counted where key is not null and n > 0 order by n desc, key limit @buckets::int
