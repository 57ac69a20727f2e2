-- Sets what the items of a collection cover. Uses collection_pkey.
update collection
set west = $2, south = $3, east = $4, north = $5, begins = $6, ends = $7, reach_before = $8, reach_after = $9
where number = $1
