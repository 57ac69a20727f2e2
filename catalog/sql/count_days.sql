-- How many items there are from one day to another, both included, and whether any of these collections has items with a
-- period, which this does not count rightly. Uses day_total_pkey.
select coalesce(sum(d.n), 0)::bigint,
       exists (select from collection c where (c.reach_before <> '0' or c.reach_after <> '0') and (@collections::text[] is null or c.id = any(@collections::text[])))
from collection c
join day_count d on d.col = c.number
where (@collections::text[] is null or c.id = any(@collections::text[]))
  and (@first::date is null or d.day >= @first::date) and (@last::date is null or d.day <= @last::date)
