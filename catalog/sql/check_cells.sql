-- How many cells of each collection are counted wrong. Reads all of item and of cell_count.
select c.id, count(*)
from (
  select col from (
    select col, cell, n, 0 as real from cell_count
    union all select col, cell, 0, 1 from item
  ) u
  where col not in (select col from removal)
  group by col, cell having sum(n) <> sum(real)
) wrong join collection c on c.number = wrong.col
group by c.id order by c.id
