-- Items of any collections whose id has a hash. Uses item_id.
select col, coalesce(created, updated), updated, dict, body from item where col = any($1::smallint[]) and idh = $2
