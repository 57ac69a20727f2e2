-- Adds what was counted, in the order of its keys so that two servers wait for each other in one order. Uses traffic_pkey.
insert into traffic as t (day, collection, platform, drawn, requests, seconds, bytes)
select * from unnest(@days::date[], @collections::text[], @platforms::text[], @drawn::boolean[], @requests::bigint[], @seconds::float8[], @bytes::bigint[])
  as g (day, collection, platform, drawn, requests, seconds, bytes) order by 1, 2, 3, 4
on conflict (day, collection, platform, drawn) do update set requests = t.requests + excluded.requests, seconds = t.seconds + excluded.seconds, bytes = t.bytes + excluded.bytes
