-- Removes some of the items of a collection that was removed. Uses item_id.
delete from item where ctid = any (array(select ctid from item where col = $1 limit $2))
