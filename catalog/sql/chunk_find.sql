-- The chunks of a property that may hold numbers of a range, of all blocks below one, or of some of these. Uses chunk_pkey.
select block, vals from chunk
where name = $1 and block < $2 and n > 0 and lo <= $4 and hi >= $3 and ($5::bigint[] is null or block = any($5))
