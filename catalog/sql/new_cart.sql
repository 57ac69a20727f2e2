-- Makes a cart, unless its owner has as many as may be ($4; null: they are counted elsewhere); answers whether it did. Uses cart_owner.
insert into cart (id, owner, title)
select $1, $2, $3 where $4::int is null or (select count(*) from cart where owner = $2) < $4
