-- Sets the columns of a row that follow from its body, if that is still the one that was read, and counts nothing, so that the revision is another.
-- Uses item_pk.
with repaired as (
  update item
  set idh = $3, idk = $4, dt = $5, begins = $6, ends = $7, cc = $8, cell = $9, x0 = $10, x1 = $11, y0 = $12, y1 = $13, grid = $14,
      orbit = $15, plat = $16, ph = $17, geom = $18, product = $19
  where pk = $1 and body = $2
  returning dt, cell, col, cc
)
insert into count_delta (n, day, cell, col, decile) select 0, utc_day(dt), cell, col, decile(cc) from repaired
