-- Rows of a hub as it lists them. A row that changed is fetched again when its bytes are no longer those that are held, as far as
-- size and checksums tell, a row in quarantine when it was modified, one that was offline when it is online, and one that had left when it
-- changed since: it has come again.
insert into mirror_product as m (mirror, id, name, bytes, checksums, published, modified, acquired, online, urgent, state)
select @mirror, r.id, r.name, r.bytes, string_to_array(nullif(r.checksums, ''), ' ', '') || '{}'::text[], r.published, r.modified, r.acquired, r.online,
  coalesce(r.published - r.acquired < @urgent::interval, false), 'wanted'
from unnest(@ids::text[], @names::text[], @bytes::bigint[], @checksums::text[], @published::timestamptz[], @modified::timestamptz[],
  @acquired::timestamptz[], @online::boolean[]) as r(id, name, bytes, checksums, published, modified, acquired, online)
order by r.id
on conflict (mirror, id) do update set
  name = excluded.name, bytes = excluded.bytes, checksums = excluded.checksums, published = excluded.published, modified = excluded.modified,
  acquired = excluded.acquired, online = excluded.online,
  state = case
    when m.state = 'held' and (excluded.bytes > 0 and excluded.bytes <> m.held_bytes
      or exists (select 1 from unnest(excluded.checksums) e join unnest(m.held_sums) h on split_part(e, ':', 1) = split_part(h, ':', 1) and e <> h)) then 'wanted'
    when m.state = 'quarantined' and excluded.modified <> m.modified or m.state = 'offline' and excluded.online or m.state = 'gone' then 'wanted'
    else m.state end,
  tries = case when excluded.modified <> m.modified then 0 else m.tries end,
  next_try = case when excluded.modified <> m.modified or excluded.online and not m.online then now() else m.next_try end
where (m.name, m.bytes, m.checksums, m.published, m.modified, m.online) is distinct from
  (excluded.name, excluded.bytes, excluded.checksums, excluded.published, excluded.modified, excluded.online)
  and (m.state <> 'gone' or excluded.modified > m.modified)
