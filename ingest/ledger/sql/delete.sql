-- Rows that left the hub, and when; the epoch where nobody says when. One that was never seen is noted too, unless only what is known matters, so
-- that a list that comes late does not bring it back. What changed since it left has come again, and stays.
insert into mirror_product as m (mirror, id, name, bytes, checksums, published, modified, online, state, reason)
select @mirror, r.id, r.name, 0, '{}', r.at, r.at, false, 'gone', r.cause
from unnest(@ids::text[], @names::text[], @at::timestamptz[], @causes::text[]) as r(id, name, at, cause)
where not @known or exists (select from mirror_product k where k.mirror = @mirror and k.id = r.id)
order by r.id
on conflict (mirror, id) do update set state = 'gone', reason = excluded.reason, modified = excluded.modified
where case when m.state = 'gone' then m.modified < excluded.modified else excluded.modified = 'epoch' or m.modified <= excluded.modified end
