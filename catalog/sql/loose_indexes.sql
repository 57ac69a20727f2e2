-- The indexes of item whose pages are a quarter emptier than a new one's, and what a rebuilding that was killed has left behind.
-- An entry of a new index takes as many bytes as listed here, a tenth of its pages left free. Reads the system's tables.
select c.relname, not i.indisvalid
from (values ('item_walk', 78), ('item_cell', 78), ('item_cc', 68), ('item_id', 32)) as t (name, bytes)
join pg_class c on c.relname = t.name or c.relname like t.name || '\_cc%'
join pg_index i on i.indexrelid = c.oid
where c.relnamespace = current_schema()::regnamespace
  and (not i.indisvalid or c.reltuples > 10000 and pg_relation_size(c.oid) > 1.25 * t.bytes * c.reltuples)
order by not i.indisvalid desc, c.relname
