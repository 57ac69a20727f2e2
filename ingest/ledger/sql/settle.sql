-- Of the rows that share one of these names, the one that was published last lives and the others are superseded. The one that lives
-- takes over what another of them holds when that is the same bytes, and what they became either way: the item has the name.
with ranked as (
  select m.id, m.name, m.state, row_number() over (partition by m.name order by m.published desc, m.id desc) = 1 as lives
  from mirror_product m
  where m.mirror = @mirror and m.name = any(@names::text[]) and m.state <> 'gone'
), twin as (
  select distinct on (l.id) l.id, h.held_at, h.held_bytes, h.held_sums, h.collection, h.item
  from ranked l
  join mirror_product m on m.mirror = @mirror and m.id = l.id
  join mirror_product h on h.mirror = @mirror and h.name = l.name and h.id <> l.id and h.item is not null and h.held_bytes = m.bytes
    and exists (select 1 from unnest(m.checksums) e join unnest(h.held_sums) s on e = s)
  where l.lives and m.state in ('wanted', 'offline', 'superseded')
  order by l.id, h.held_at desc
)
update mirror_product m set
  state = case when not r.lives then 'superseded' when t.id is not null then 'held' when m.state = 'superseded' then 'wanted' else m.state end,
  next_try = case when r.lives and m.state = 'superseded' then now() else m.next_try end,
  held_at = coalesce(t.held_at, m.held_at), held_bytes = coalesce(t.held_bytes, m.held_bytes), held_sums = coalesce(t.held_sums, m.held_sums),
  collection = coalesce(t.collection, m.collection), item = coalesce(t.item, m.item)
from ranked r
left join twin t on t.id = r.id
where m.mirror = @mirror and m.id = r.id and (not r.lives and m.state <> 'superseded' or r.lives and (m.state = 'superseded' or t.id is not null and m.state in ('wanted', 'offline')))
