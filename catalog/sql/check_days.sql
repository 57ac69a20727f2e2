-- How many days and tenths of cloud cover of each collection are counted wrong. Reads all of item and of day_count.
select c.id, count(*)
from (
  select col from (
    select col, day, decile, n, 0 as real from day_count
    union all select col, utc_day(dt), decile(cc), 0, 1 from item
  ) u
  where col not in (select col from removal)
  group by col, day, decile having sum(n) <> sum(real)
) wrong join collection c on c.number = wrong.col
group by c.id order by c.id
