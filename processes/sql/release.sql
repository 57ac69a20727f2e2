-- The waiting jobs that are next and have no ticket: by priority, which rises by one for each half hour of waiting; among equals by how
-- many of their owner's jobs run or go before; then by age. Uses job_waiting and job_live.
with busy as (
  select owner, count(*) as jobs from job
  where status = 'running' or status = 'accepted' and ticket = lease group by owner
), waiting as (
  select j.id, j.lease, j.owner, j.created, greatest(1, j.priority - floor(extract(epoch from now() - j.created) / 1800)) as priority
  from job j where j.status = 'accepted' and j.ticket is distinct from j.lease and j.not_before <= now()
), ranked as (
  select w.*, coalesce(b.jobs, 0) + row_number() over (partition by w.owner order by w.priority, w.created, w.id) as turn
  from waiting w left join busy b on b.owner = w.owner
)
select id, lease from ranked where @running = 0 or turn <= @running
order by priority, turn, created, id limit @limit
