-- Removes a collection whose body is still the one that was read ($2), with what is known of its items. They are out of sight
-- then, and are removed in batches, see sweep.sql. Uses collection_pkey and the other tables' keys.
with gone as (
  delete from collection where number = $1 and body::text = $2 returning number, id
), properties as (
  delete from property where col in (select number from gone)
), days as (
  delete from day_total where col in (select number from gone)
), cells as (
  delete from cell_total where col in (select number from gone)
), named as (
  insert into collection_gone (number, id) select number, id from gone
), left_over as (
  insert into removal (col) select number from gone
)
select now() from gone
