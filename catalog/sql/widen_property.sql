-- Sets what the items of a collection hold of one property. Uses property_pkey.
insert into property (col, name, kinds, lo, hi, words, many) values ($1, $2, $3, $4, $5, $6, $7)
on conflict (col, name) do update
set kinds = excluded.kinds, lo = excluded.lo, hi = excluded.hi, words = excluded.words, many = excluded.many
