-- Keeps a dictionary of a collection that is there, unless another process has trained one meanwhile. Uses collection_pkey and
-- dictionary_newest. The caller holds the lock of those who train.
insert into dictionary (col, bytes, items) select number, $2, $3 from collection where number = $1
  and $3 >= $4 * coalesce((select max(d.items) from dictionary d where d.col = $1), 0)
