-- Collections whose items have become many enough for a dictionary, the first one ($1) or one after that ($2 times as many as
-- the last one was trained from), with how many there are. Uses day_total_pkey and dictionary_newest.
select c.number, items.n
from collection c
cross join lateral (select coalesce(sum(n), 0)::bigint as n from day_count t where t.col = c.number) items
where items.n >= $1 and items.n >= $2 * coalesce((select max(d.items) from dictionary d where d.col = c.number), 0)
