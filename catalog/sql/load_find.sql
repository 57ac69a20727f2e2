-- Items of any collections by their hashes, for comparing. Uses item_id.
select k.place, i.idk, i.dict, i.body
from unnest($1::smallint[], $2::bigint[]) with ordinality as k (col, idh, place)
join item i on i.col = k.col and i.idh = k.idh
