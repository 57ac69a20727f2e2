-- Makes the hours of days that are long gone one row a day, at its first hour. Uses account_use_at.
with gone as (
  delete from account_use where at < @before and date_part('hour', at at time zone 'UTC') > 0
  returning account, at, requests, downloads, bytes
), days as (
  select account, date_trunc('day', at at time zone 'UTC') at time zone 'UTC' as at, sum(requests)::bigint as requests,
    sum(downloads)::bigint as downloads, sum(bytes)::bigint as bytes
  from gone group by 1, 2
)
insert into account_use as u (account, at, requests, downloads, bytes)
select account, at, requests, downloads, bytes from days order by account, at
on conflict (account, at) do update set requests = u.requests + excluded.requests, downloads = u.downloads + excluded.downloads,
  bytes = u.bytes + excluded.bytes
