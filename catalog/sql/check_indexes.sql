-- Indexes of item that a load set aside, or whose building failed.
select array(
  select name from set_aside
  union select i.indexrelid::regclass::text from pg_index i where i.indrelid = 'item'::regclass and not i.indisvalid
)
