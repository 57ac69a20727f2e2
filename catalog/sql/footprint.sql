-- Makes an unwrapped shape what geom holds: valid, and split at the antimeridian. A shape that is not valid is repaired when
-- something of its own dimension remains; else the answer is null, and why. Reads no table.
with given as (
  select g, st_isvalid(g) as valid from (select st_geomfromwkb(@wkb, 4326) as g) s
), unbroken as (
  select g, case when valid then g
                 when geometrytype(g) = 'GEOMETRYCOLLECTION' then st_makevalid(g)
                 else st_collectionextract(st_makevalid(g), st_dimension(g) + 1) end as whole
  from given
), split as (
  select g, case when st_xmax(whole) > 180 then st_wrapx(whole, 180, -360) else whole end as cut
  from unbroken
)
select case when st_isempty(cut) then null
            when st_isvalid(cut) then st_asewkb(cut)
            else st_asewkb(st_makevalid(cut)) end, -- parts that met only after the split
       case when st_isempty(cut) then st_isvalidreason(g) else '' end
from split
