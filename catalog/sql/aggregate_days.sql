-- The same from the counters of days: for collections and whole days alone. Reads day_total of the collections.
with counted as (
  select {{key}} as key, sum(d.n)::bigint as n
  from collection c
  join day_count d on d.col = c.number
  where (@collections::text[] is null or c.id = any(@collections::text[]))
    and (@first::date is null or d.day >= @first::date) and (@last::date is null or d.day <= @last::date)
  group by 1
)
select key, n, (sum(n) over ())::bigint from counted where key is not null and n > 0 order by n desc, key limit @buckets::int
