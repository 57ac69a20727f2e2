-- Ends a job well, with all its results.
update job set status = 'successful', results = @results, progress = 100, message = '', failure = '', finished = now(), updated = now(),
  expires = now() + make_interval(secs => @keep)
where id = @id and lease = @lease and status = 'running'
returning 1
