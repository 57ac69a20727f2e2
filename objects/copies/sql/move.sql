-- One move of one copy, if it is still as it was seen; what waits for it is told in the same transaction. Uses copy_pkey.
-- A copy that somebody asked for while it was given up goes to the queue instead of resting.
with moved as (
  update copy c set
    version      = version + 1,
    state        = case when @target = 'cold' and exists (select from stage_request r where r.key = c.key and r.outcome = 'open') then 'queued' else @target end,
    tries        = case when @target in ('failed', 'unavailable') then tries + 1 when @target in ('online', 'cold') then 0 else tries end,
    next_try     = case when @target = 'failed' then now() + @after::interval else next_try end,
    reason       = @reason,
    queued_at    = case when @target in ('queued', 'cold') then now() else queued_at end,
    restoring_at = case when @target = 'restoring' then now() else restoring_at end,
    online_at    = case when @target in ('cold', 'queued', 'failed', 'unavailable') then null when @target = 'online' then now() else online_at end,
    expires_at   = case when @target in ('cold', 'queued', 'failed', 'unavailable') then null when @target = 'online' then now() + @after::interval else expires_at end,
    read_at      = case when @target = 'online' then now() else read_at end
  where key = @key and version = @version and state = @state and (@target <> 'evicting' or pinned_until <= now())
  returning key
), told as (
  update stage_request r set outcome = case @target when 'online' then 'served' else 'failed' end, done_at = now()
  from moved where r.key = moved.key and r.outcome = 'open' and @target in ('online', 'unavailable')
)
select count(*) from moved;
