-- The chunks of some blocks. Uses chunk_pkey.
select name, block, vals from chunk where block = any($1::bigint[]) and name = any($2::text[])
