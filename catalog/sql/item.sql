-- One item by its two names; a row without an item when only the collection is there. Uses collection_id_key and item_id.
select c.number, i.pk is not null, coalesce(i.updated, c.updated), coalesce(i.dict, 0), i.body
from collection c
left join item i on i.col = c.number and i.idh = @hash and i.idk = @key
where c.id = @collection
