-- What meets the area, of the rows of space.sql. A box inside of the area needs no look at the footprint; for other shapes
-- than boxes, the inside is none.
and (i.y0 >= @inner_y0::int and i.y1 <= @inner_y1::int and
       (i.x0 >= @inner_x0::int and i.x1 <= @inner_x1::int or
        i.x0 >= @inner_x0::int - 36000000 and i.x1 <= @inner_x1::int - 36000000 or
        i.x0 >= @inner_x0::int + 36000000 and i.x1 <= @inner_x1::int + 36000000)
     or (select st_intersects(shape(g.geom), st_geomfromewkb(@area::bytea)) from item g where g.pk = i.pk))
