-- Drops the indexes that searches use and notes how they are built again; those of names and of insertion stay. What is not
-- there was set aside before.
do $$
declare
  index text;
begin
  insert into set_aside (name, definition) select indexname, indexdef from pg_indexes
  where schemaname = current_schema() and tablename = 'item' and indexname not in ('item_pk', 'item_id');
  for index in select name from set_aside loop
    execute format('drop index if exists %I', index);
  end loop;
end $$
