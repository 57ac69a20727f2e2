-- Removes one item by its two names. Uses collection_id_key and item_id.
delete from item i using collection c
where c.id = @collection and i.col = c.number and i.idh = @hash and i.idk = @key
