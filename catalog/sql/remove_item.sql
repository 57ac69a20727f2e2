-- Removes an item whose body is still the one that was read ($4, $5), and no longer counts it. Answers whether its
-- collection is there, and when the item was removed. Uses collection_pkey and item_id.
with there as (
  select number from collection where number = $1
), gone as (
  delete from item where col = (select number from there) and idh = $2 and idk = $3 and dict = $4 and body = $5
  returning dt, cc, cell, col
), counted as (
  insert into count_delta (n, day, cell, col, decile) select -1, utc_day(dt), cell, col, decile(cc) from gone
)
select exists (select from there), (select now() from gone)
