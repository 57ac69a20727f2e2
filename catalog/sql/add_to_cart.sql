-- Puts items (collections $2, ids $3) into a cart ($1) behind those that are in it. Uses cart_item_pkey.
insert into cart_item (cart, collection, item)
select $1, w.collection, w.item from unnest($2::text[], $3::text[]) with ordinality as w (collection, item, n) order by w.n
on conflict do nothing
