-- What the items of a collection hold of each property. Uses property_pkey.
select name, kinds, lo, hi, words, many from property where col = $1
