-- One cart ($1), or all of an owner ($2) where $1 is empty, the newest first; items of hidden collections ($3) don't count.
-- Uses cart_pkey or cart_owner, and cart_item_pkey.
select c.id, c.owner, c.title, c.created_at, c.updated_at,
  (select count(*) from cart_item i where i.cart = c.id and i.collection <> all ($3::text[]))
from cart c
where c.id = $1 or $1 = '' and c.owner = $2
order by c.created_at desc, c.id
