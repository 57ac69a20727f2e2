-- Removes an item whose body is still the one that was read ($4, $5), no longer counts it, and keeps it in memory. Answers whether its
-- collection is there, and when the item was removed. Uses collection_pkey and item_id.
with there as (
  select number from collection where number = $1
), gone as (
  delete from item where col = (select number from there) and idh = $2 and idk = $3 and dict = $4 and body = $5
  returning dt, cc, cell, col, created, updated, dict, geom, body, product
), remembered as (
  insert into tombstone (published, updated, col, dict, geom, body, product)
  select coalesce(created, updated), updated, col, dict, geom, body, product is not null from gone
), counted as (
  insert into count_delta (n, day, cell, col, decile) select -1, utc_day(dt), cell, col, decile(cc) from gone
)
select exists (select from there), (select clock_timestamp() from gone)
