-- Bytes of files that came with somebody's jobs and are still wanted: of jobs that have not ended, and of those that are just being stored. Uses job_upload_owner.
select coalesce(sum(u.bytes), 0)::bigint
from job_upload u left join job j on j.id = u.job
where u.owner = $1 and (j.id is null or j.status in ('accepted', 'running'))
