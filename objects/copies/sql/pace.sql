-- How long restores took of late, how much came in the last hour, and what waits. Uses copy_busy, stage_request_served.
select coalesce((select avg(extract(epoch from online_at - restoring_at)) from (
    select online_at, restoring_at from copy where state = 'online' and restoring_at <= online_at order by online_at desc limit 100) recent), -1)::float8,
  (select coalesce(sum(bytes), 0) from copy where state = 'online' and online_at > now() - interval '1 hour')::float8,
  (select count(*) from copy where state = 'queued');
