-- Removes carts of strangers that were not changed for so many days ($1), and counts those that stay. Uses cart_owner.
with old as (delete from cart where owner = '' and updated_at < now() - make_interval(days => $1) returning 1)
select (select count(*) from cart where owner = '') - (select count(*) from old)
