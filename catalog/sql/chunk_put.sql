-- Writes a chunk. Uses chunk_pkey.
insert into chunk (name, block, n, lo, hi, vals) values ($1, $2, $3, $4, $5, $6)
on conflict (name, block) do update set n = excluded.n, lo = excluded.lo, hi = excluded.hi, vals = excluded.vals
