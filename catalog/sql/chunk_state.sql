-- The properties that have chunks and how far, the highest key of an item, and whether chunks are to be mended. Reads small
-- tables.
select coalesce((select array_agg(name order by name) from chunk_property), '{}'),
       coalesce((select array_agg(upto order by name) from chunk_property), '{}'),
       coalesce(pg_sequence_last_value(pg_get_serial_sequence('item', 'pk')::regclass), 0),
       exists (select from chunk_stale)
