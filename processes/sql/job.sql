-- One job, for its owner and for those who may see all. Uses job_pkey.
select id, process, version, owner, status, message, failure, progress, created, updated, started, finished, expires, request, subscription, attempts, bytes
from job where id = @id and (@all or owner = @owner)
