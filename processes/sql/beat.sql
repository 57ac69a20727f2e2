-- Tells how a run stands, and that it lives. No row: it was taken away.
update job set beat = now(), updated = case when progress < @progress or message <> @message then now() else updated end,
  progress = greatest(progress, @progress), message = @message
where id = @id and lease = @lease and status = 'running'
returning 1
