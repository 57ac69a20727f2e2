-- Sets what is derived from a body alone, and counts the item, as the schema before did not. Uses item_pk.
with made as (
  update item set cc = $2, grid = $3, orbit = $4, plat = $5, ph = $6, product = $7 where pk = $1
  returning col, dt, cc, cell
)
insert into count_delta (n, day, cell, col, decile) select 1, utc_day(dt), cell, col, decile(cc) from made
