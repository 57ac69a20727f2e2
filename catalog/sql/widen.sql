-- Sets what the items of a collection cover. Uses collection_pkey.
update collection
set west = @west, south = @south, east = @east, north = @north, begins = @begins, ends = @ends,
    reach_before = @reach_before, reach_after = @reach_after
where number = @number
