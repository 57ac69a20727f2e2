-- How long after their publication the products of the last 30 days could be searched here: how many took at most so many hours.
select b.hours, (select count(*) from mirror_product m where m.mirror = @mirror and m.state = 'held' and m.held_at > now() - interval '30 days'
  and m.held_at - m.published <= make_interval(hours => b.hours))
from unnest(@hours::int[]) as b(hours)
order by b.hours
