-- Items of rows that left the hub. One is kept where another row of the name holds it, and waits where another is about to replace it.
select m.id, m.collection, m.item,
  exists (select 1 from mirror_product o where o.mirror = m.mirror and o.name = m.name and o.state = 'held') as kept
from mirror_product m
where m.mirror = @mirror and m.state = 'gone' and m.item is not null
  and not exists (select 1 from mirror_product o where o.mirror = m.mirror and o.name = m.name and o.state = 'wanted')
order by m.id
limit 500
