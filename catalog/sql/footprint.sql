-- Makes an unwrapped shape what geom holds: valid, and split at the antimeridian. A shape that is not valid is repaired when
-- something of its own dimension remains; else the answer is null, and why. One row for each part of what is not split yet, with its box.
-- Reads no table.
with given as materialized (
  select g, st_isvalid(g) as valid from (select st_geomfromwkb(@wkb, 4326) as g) s
), unbroken as materialized (
  select g, case when valid then g
                 when geometrytype(g) = 'GEOMETRYCOLLECTION' then st_makevalid(g)
                 else st_collectionextract(st_makevalid(g), st_dimension(g) + 1) end as whole
  from given
), split as materialized (
  select g, whole, case when st_xmax(whole) > 180 then st_wrapx(whole, 180, -360) else whole end as cut
  from unbroken
), settled as materialized (
  select case when st_isempty(cut) then null
              when st_isvalid(cut) then st_asewkb(cut)
              else st_asewkb(st_makevalid(cut)) end as ewkb, -- parts that met only after the split
         case when st_isempty(cut) then st_isvalidreason(g) else '' end as reason,
         whole
  from split
)
select ewkb, reason, coalesce(st_xmin(d.geom), 0), coalesce(st_ymin(d.geom), 0), coalesce(st_xmax(d.geom), 0), coalesce(st_ymax(d.geom), 0)
from settled left join lateral st_dump(whole) d on true
