-- What meets the area, of the rows of space.sql. A shape touches all four sides of its box: where the box lies between the west and the east of
-- the area, and its south or its north in it, a point of the shape lies in the area too, and the same the other way round. Only what
-- reaches over a corner of the area, or over two sides that face each other, needs a look at its footprint; and so does what is closer to a side than the columns
-- tell apart, which is 2 units. For other shapes than boxes, the inside is none.
and (i.y0 >= @inner_y0::int and i.y1 <= @inner_y1::int and
       (i.x0 between @inner_x0::int and @inner_x1::int - 2 or i.x1 between @inner_x0::int + 2 and @inner_x1::int or
        i.x0 between @inner_x0::int - 36000000 and @inner_x1::int - 36000002 or i.x1 between @inner_x0::int - 35999998 and @inner_x1::int - 36000000 or
        i.x0 between @inner_x0::int + 36000000 and @inner_x1::int + 35999998 or i.x1 between @inner_x0::int + 36000002 and @inner_x1::int + 36000000)
     or (i.y0 between @inner_y0::int and @inner_y1::int - 2 or i.y1 between @inner_y0::int + 2 and @inner_y1::int) and
       (i.x0 >= @inner_x0::int and i.x1 <= @inner_x1::int or
        i.x0 >= @inner_x0::int - 36000000 and i.x1 <= @inner_x1::int - 36000000 or
        i.x0 >= @inner_x0::int + 36000000 and i.x1 <= @inner_x1::int + 36000000)
     or (select st_intersects(shape(g.geom), st_geomfromewkb(@area::bytea)) from item g where g.pk = i.pk))
