-- A part of walk, cells and ids: what may meet the area. Boxes are compared where they are and one turn of the globe to
-- either side.
and i.y0 <= @y1::int and i.y1 >= @y0::int
and (i.x0 <= @x1::int and i.x1 >= @x0::int or i.x0 <= @x1::int - 36000000 and i.x1 >= @x0::int - 36000000 or i.x0 <= @x1::int + 36000000 and i.x1 >= @x0::int + 36000000)
