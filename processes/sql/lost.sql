-- Takes jobs back from workers that are lost: to be begun again, at once the first time, then later and later, or failed when they took too
-- many workers with them, of which their subscribers are told. Uses job_running.
with lost as (
update job set lease = lease + 1, ticket = null, worker = '', beat = null, updated = now(), losses = losses + 1, dirty = true,
  not_before = now() + make_interval(secs => case when losses = 0 then 0 else least(@retry * 2 ^ (losses - 1), 600) end),
  status = case when losses + 1 >= @most then 'failed' else 'accepted' end,
  failure = case when losses + 1 >= @most then 'internal' else '' end,
  finished = case when losses + 1 >= @most then now() end,
  expires = case when losses + 1 >= @most then now() + make_interval(secs => @keep) end,
  message = case when losses + 1 >= @most then 'the machine that ran it was lost ' || (losses + 1) || ' times' else 'begins again: the machine that ran it was lost' end
where status = 'running' and (beat < now() - make_interval(secs => @lost) or worker = any(@dead::text[]))
returning id, status, request->'subscriber'->>'failedUri' as url
)
insert into job_call (job, event, url) select id, 'failed', url from lost where status = 'failed' and url <> ''
