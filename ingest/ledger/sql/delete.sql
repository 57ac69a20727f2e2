-- Rows that left the hub. One that was never seen is noted too, so that a list that comes late does not bring it back.
insert into mirror_product as m (mirror, id, name, bytes, checksums, published, modified, online, state, reason)
select @mirror, r.id, r.name, 0, '{}', r.at, r.at, false, 'gone', r.cause
from unnest(@ids::text[], @names::text[], @at::timestamptz[], @causes::text[]) as r(id, name, at, cause)
order by r.id
on conflict (mirror, id) do update set state = 'gone', reason = excluded.reason
where m.state <> 'gone'
