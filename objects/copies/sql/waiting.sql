-- The first of each user's requests whose copies are queued and due. Uses copy_busy, stage_request_open.
with asked as (
  select r.key, r.owner, r.lane, min(r.asked_at) as asked
  from copy c join stage_request r using (key) where c.state = 'queued' and r.outcome = 'open' group by 1, 2, 3
), ranked as (
  select *, row_number() over (partition by lane, owner order by asked, key) as n from asked
)
select r.owner, r.lane, c.key, c.bytes, c.volume, c.place, c.version, c.tries
from ranked r join copy c using (key) where r.n <= @most order by r.asked, c.key;
