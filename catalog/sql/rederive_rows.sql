-- Rows of an earlier schema whose derived columns are to be worked out, in order. Uses item_pk and collection_pkey.
select i.pk, c.number, c.id, i.dict, i.body
from item i join collection c on c.number = i.col
where i.pk > $1 and i.pk <= $2
order by i.pk
limit $3
for update of i
