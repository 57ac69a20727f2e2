-- Items of one collection by their hashes. Uses item_id.
select idh, idk, dict, body, updated from item where col = $1 and idh = any($2)
