-- How many months and cells of each collection are counted wrong. Reads all of item and of cell_count.
select c.id, count(*)
from (
  select col from (
    select col, month, cell, n, 0 as real from cell_count
    union all select col, date_trunc('month', utc_day(dt)::timestamp)::date, cell, 0, 1 from item
  ) u
  where col not in (select col from removal)
  group by col, month, cell having sum(n) <> sum(real)
) wrong join collection c on c.number = wrong.col
group by c.id order by c.id
