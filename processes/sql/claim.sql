-- Begins a job for the holder of a ticket, when it is still to be begun and nobody has taken it away since.
update job set status = 'running', worker = @worker, beat = now(), started = coalesce(started, now()), updated = now(), attempts = attempts + 1,
  message = 'begins', dirty = dirty or attempts > 0
where id = @id and lease = @lease and status = 'accepted'
returning process, version, owner, request, inputs, memory_mib, minutes, attempts, failures
