-- All collections by id, or one. Reads the table, which is small, or uses collection_id_key.
select id, updated, body, west, south, east, north, begins, ends, reach_before, reach_after
from collection
where @id::text is null or id = @id
order by id
