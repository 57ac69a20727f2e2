-- A page of jobs, newest first. Uses job_owner; of all jobs, job_created. Large requests are left out.
select id, process, version, owner, status, message, failure, progress, created, updated, started, finished, expires,
  case when pg_column_size(request) < 65536 then request else request - 'inputs' end, subscription, attempts, bytes
from job
where (@all or owner = @owner)
  and (@processes::text[] is null or process = any(@processes))
  and (@statuses::text[] is null or status = any(@statuses))
  and (@since::timestamptz is null or created >= @since)
  and (@until::timestamptz is null or created <= @until)
  and (@min::float8 = 0 or extract(epoch from coalesce(finished, now()) - started) >= @min)
  and (@max::float8 = 0 or extract(epoch from coalesce(finished, now()) - started) <= @max)
  and (@subscription = '' or subscription = @subscription)
  and (@after::timestamptz is null or (created, id) < (@after, @after_id))
order by created desc, id desc
limit @limit
