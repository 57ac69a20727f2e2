-- Ends a job with the reason.
update job set status = 'failed', message = @message, failure = @failure, finished = now(), updated = now(), expires = now() + make_interval(secs => @keep),
  dirty = true
where id = @id and lease = @lease and status = 'running'
returning 1
