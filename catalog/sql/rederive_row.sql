-- Sets what is derived from a body alone, and counts the item, as the schema before did not. Uses item_pk.
with row as (
  update item set cc = @cc, grid = @grid, orbit = @orbit, plat = @plat, ph = @ph where pk = @pk
  returning col, dt, cc, cell
)
insert into count_delta (n, day, cell, col, decile)
select 1, (dt at time zone 'UTC')::date, cell, col, coalesce(floor(least(greatest(cc, 0), 99) / 10), -1)
from row
