-- Gives a job back to be begun again later.
update job set status = 'accepted', lease = lease + 1, ticket = null, worker = '', beat = null, updated = now(), message = @message,
  not_before = now() + make_interval(secs => @wait), failures = failures + @failures, attempts = attempts - @uncounted, dirty = true
where id = @id and lease = @lease and status = 'running'
returning 1
