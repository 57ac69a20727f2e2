-- Drops the index of terms and notes how it is built again. An index that is not there was set aside before.
do $$
begin
  insert into set_aside (name, definition) select indexname, indexdef from pg_indexes
  where schemaname = current_schema() and tablename = 'item' and indexname = 'item_terms';
  drop index if exists item_terms;
end $$
