-- How many items each collection has in each cell. Reads cell_total.
select col, cell, sum(n)::bigint from cell_count group by 1, 2
