-- Counts all items anew; nobody writes meanwhile. Reads all of item.
lock table item in share mode;
select pg_advisory_xact_lock(1718578276); -- foldLock
update item_revision set n = n + 1;
delete from count_delta;
delete from day_total;
delete from cell_total;
insert into day_total (col, day, decile, n) select col, utc_day(dt), decile(cc), count(*) from item group by 1, 2, 3;
insert into cell_total (col, cell, n) select col, cell, count(*) from item group by 1, 2
