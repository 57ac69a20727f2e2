-- What the items of a collection cover. Uses collection_pkey.
select west, south, east, north, begins, ends, reach_before, reach_after from collection where number = $1
