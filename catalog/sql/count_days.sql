-- How many items there are from one day to another, both included, and when that was: moment and revision. Uses day_total_pkey.
select coalesce(sum(d.n), 0)::bigint, pg_current_snapshot()::text, {{revision}}
from day_count d
where d.col = any(@cols::smallint[])
  and (@first::date is null or d.day >= @first::date) and (@last::date is null or d.day <= @last::date)
