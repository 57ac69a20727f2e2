-- Collections without a dictionary that have at least so many items. Reads the totals of such collections: day_total_pkey.
select c.number
from collection c
where not exists (select from dictionary d where d.col = c.number)
  and (select sum(n) from day_count t where t.col = c.number) >= $1
