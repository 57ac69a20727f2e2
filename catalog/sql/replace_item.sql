-- Replaces an item whose body is still the one that was read ($21, $22), and counts it anew. Answers whether its collection
-- is there, and when the item was replaced. Uses collection_pkey, item_id and item_pk.
with there as (
  select number from collection where number = $13
), was as (
  select pk, dt, cc, cell, col from item
  where col = (select number from there) and idh = $1 and idk = $2 and dict = $21 and body = $22
  for update
), made as (
  update item i
  set dt = $3, begins = $4, ends = $5, created = coalesce(created, updated), updated = clock_timestamp(), cc = $6, cell = $7, x0 = $8, x1 = $9, y0 = $10, y1 = $11, grid = $12,
      dict = $14, orbit = $15, plat = $16, ph = $17, geom = $18, body = $19, product = $20
  from was where i.pk = was.pk
  returning i.updated, i.dt, i.cc, i.cell, i.col
), counted as (
  insert into count_delta (n, day, cell, col, decile)
  select -1, utc_day(dt), cell, col, decile(cc) from was
  union all select 1, utc_day(dt), cell, col, decile(cc) from made
)
select exists (select from there), (select updated from made)
