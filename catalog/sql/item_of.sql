-- One item of a collection that is known. Uses item_id.
select i.updated, i.dict, i.body
from item i
where i.col = @col::smallint and i.idh = @hash::bigint and i.idk = @key::bigint
