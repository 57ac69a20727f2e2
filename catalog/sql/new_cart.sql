-- Makes a cart, unless its owner has as many as may be ($4); answers whether it did. Carts of strangers that were not changed for so many
-- days ($5) go. Uses cart_owner.
with old as (delete from cart where owner = '' and updated_at < now() - make_interval(days => $5))
insert into cart (id, owner, title)
select $1, $2, $3 where (select count(*) from cart where owner = $2) < $4
