-- Stores a job that was accepted.
insert into job (id, process, version, owner, priority, request, inputs, subscription, memory_mib, minutes, bytes, dirty, message)
values (@id, @process, @version, @owner, @priority, @request, @inputs, @subscription, @memory, @minutes, @bytes,
  exists (select from job_upload where job = @id), 'waits for its turn')
returning id, process, version, owner, status, message, failure, progress, created, updated, started, finished, expires, request, subscription, attempts, bytes
