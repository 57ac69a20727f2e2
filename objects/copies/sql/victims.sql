-- Online copies that may go, the first to go first: expired ones, then what was not read for long and is large. Never one that a
-- download in flight keeps, nor, unless it is expired, one that came a short while ago. Uses copy_busy.
select key, bytes, version, expires_at <= now() as expired from copy
where state = 'online' and pinned_until <= now() and (expires_at <= now() or @pressed and online_at <= now() - @least::interval)
order by expires_at <= now() desc, extract(epoch from now() - read_at) * (1 + bytes / 1048576.0) desc limit @most;
