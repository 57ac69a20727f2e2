-- The carts of an account ($1) as JSON, the newest first. Uses cart_owner.
select json_build_object('id', c.id, 'title', c.title, 'created', c.created_at, 'updated', c.updated_at, 'items',
  (select coalesce(json_agg(json_build_object('collection', i.collection, 'id', i.item) order by i.at), '[]') from cart_item i where i.cart = c.id))
from cart c where c.owner = $1 order by c.created_at desc, c.id
