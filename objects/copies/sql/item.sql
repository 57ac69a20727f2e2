-- The copies of items, as their assets tell of them. Uses copy_item.
select c.collection, c.item, c.key, c.state, c.expires_at,
  coalesce((select r.order_id from stage_request r where r.key = c.key and r.outcome = 'open' and r.owner = @owner and @owner <> '' order by r.asked_at limit 1), '')
from unnest(@collections::text[], @items::text[]) as w(collection, item) join copy c on c.collection = w.collection and c.item = w.item;
