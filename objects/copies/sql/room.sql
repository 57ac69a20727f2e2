-- What the buffer holds, of which some may go. Uses copy_busy.
select coalesce(sum(bytes), 0)::bigint as used,
  coalesce(sum(bytes) filter (where state = 'evicting'), 0)::bigint as going
from copy where state in ('restoring', 'verifying') or state in ('online', 'evicting') and online_at is not null;
