-- Notes how the indexes that searches use are built again, before they are dropped, and returns their names; that of insertion stays,
-- and that of names unless $1. What is not there was set aside before.
with noted as (
  insert into set_aside (name, definition) select indexname, indexdef from pg_indexes
  where schemaname = current_schema() and tablename = 'item' and indexname <> 'item_pk' and (indexname <> 'item_id' or $1)
  returning name
)
select name from noted
