-- Sets the columns of a row that follow from its body, if that is still the one that was read. Uses item_pk.
update item
set idh = $3, idk = $4, dt = $5, begins = $6, ends = $7, cc = $8, cell = $9, x0 = $10, x1 = $11, y0 = $12, y1 = $13, grid = $14,
    orbit = $15, plat = $16, ph = $17, geom = $18, product = $19
where pk = $1 and body = $2
