-- Keeps the first dictionary of a collection that is there. Uses dictionary_col_key.
insert into dictionary (col, bytes) select number, $2 from collection where number = $1
on conflict (col) do nothing
