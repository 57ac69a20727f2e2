-- Keeps an online copy for a while, and says what it is. Uses copy_pkey.
with kept as (
  update copy set pinned_until = greatest(pinned_until, now() + @while::interval), read_at = now() where key = @key and state = 'online' returning key
)
select key, bytes, sha256, content_type, modified, case when exists (select from kept) then 'online' when state = 'online' then 'evicting' else state end, version
from copy where key = @key;
