-- All collections by id. Reads the table, which is small.
select number, id, updated, body, west, south, east, north, begins, ends, reach_before, reach_after
from collection
order by id
