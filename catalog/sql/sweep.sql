-- Removes some of the items of a collection that was removed, keeps them in memory, and answers how many there were. Uses item_id.
with gone as (
  delete from item where ctid = any (array(select ctid from item where col = $1 limit $2)) returning created, updated, col, dict, geom, body, product
), remembered as (
  insert into tombstone (published, updated, col, dict, geom, body, product)
  select coalesce(created, updated), updated, col, dict, geom, body, product is not null from gone
)
select count(*) from gone
