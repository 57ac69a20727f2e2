-- Creates an item or replaces what is different. No row is changed when the body is the same, or when another item of the
-- collection has the same hash. Uses item_id.
insert into item as t (col, idh, idk, dt, begins, ends, updated, cell, x0, x1, y0, y1, cc, grid, orbit, plat, ph, geom, dict, body)
values (@col, @idh, @idk, @dt, @begins, @ends, now(), @cell, @x0, @x1, @y0, @y1, @cc, @grid, @orbit, @plat, @ph,
        coalesce(st_geomfromewkb(@geom), 'srid=4326;polygon empty'::geometry), @dict, @body)
on conflict (col, idh) do update
set dt = excluded.dt, begins = excluded.begins, ends = excluded.ends, updated = excluded.updated, cell = excluded.cell,
    x0 = excluded.x0, x1 = excluded.x1, y0 = excluded.y0, y1 = excluded.y1, cc = excluded.cc, grid = excluded.grid,
    orbit = excluded.orbit, plat = excluded.plat, ph = excluded.ph, geom = excluded.geom, dict = excluded.dict, body = excluded.body
where t.idk = excluded.idk and (t.dict, t.body) is distinct from (excluded.dict, excluded.body)
