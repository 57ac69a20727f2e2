-- Adds what accounts used, in the order of their ids so that two servers wait for each other in one order, notes that they were seen,
-- and returns what these accounts used since, oldest first. Uses account_use_pkey.
with given as (
  select * from unnest(@accounts::text[], @hours::timestamptz[], @requests::bigint[], @downloads::bigint[], @bytes::bigint[])
    as g(account, at, requests, downloads, bytes)
), added as (
  insert into account_use as u (account, at, requests, downloads, bytes)
  select account, at, requests, downloads, bytes from given order by account, at
  on conflict (account, at) do update set requests = u.requests + excluded.requests, downloads = u.downloads + excluded.downloads,
    bytes = u.bytes + excluded.bytes
  returning account, at, requests, downloads, bytes
), seen as (
  update account a set seen = (now() at time zone 'UTC')::date from given g
  where a.id = g.account and a.seen is distinct from (now() at time zone 'UTC')::date
)
select account, at, requests, downloads, bytes from added
union all
select u.account, u.at, u.requests, u.downloads, u.bytes from account_use u
where u.account = any(@accounts) and u.at >= @since and not exists (select from added where added.account = u.account and added.at = u.at)
order by at
