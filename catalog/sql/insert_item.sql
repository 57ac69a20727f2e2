-- Creates an item and counts it, if its collection ($13) is there and has no item of this hash. Answers whether the
-- collection is there, and when the item was made. Uses collection_pkey and item_id.
with there as (
  select number from collection where number = $13
), made as (
  insert into item (idh, idk, dt, begins, ends, cc, cell, x0, x1, y0, y1, grid, col, dict, orbit, plat, ph, geom, body, product)
  select $1::bigint, $2::bigint, $3::timestamptz, $4::timestamptz, $5::timestamptz, $6::double precision, $7::int, $8::int, $9::int,
         $10::int, $11::int, $12::int, $13::smallint, $14::smallint, $15::smallint, $16::smallint, $17::int[], $18::bytea, $19::bytea, $20::bigint
  from there
  on conflict (col, idh) do nothing
  returning updated, dt, cc, cell, col
), counted as (
  insert into count_delta (n, day, cell, col, decile) select 1, utc_day(dt), cell, col, decile(cc) from made
)
select exists (select from there), (select updated from made)
