-- How long after their publication the products of the last 30 days could be searched here: how many took at most so many hours.
select b.hours, coalesce((select sum(d.products) from mirror_delay d where d.mirror = @mirror and d.day > (now() at time zone 'utc')::date - 30
  and d.hours <= b.hours), 0)::bigint
from unnest(@hours::int[]) as b(hours)
order by b.hours
