-- Bodies of a collection, evenly drawn: the order of hashes is no order. Uses item_id.
select dict, body from item where col = $1 order by col, idh limit $2
