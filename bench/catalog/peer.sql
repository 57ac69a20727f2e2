-- The better setting of the peer: queryables with an index for the four properties that the queries name.
insert into pgstac.queryables (name, definition, property_wrapper, property_index_type)
select v.* from (values
  ('eo:cloud_cover', '{"type": "number"}'::jsonb, 'to_float', 'BTREE'),
  ('sat:relative_orbit', '{"type": "integer"}', 'to_int', 'BTREE'),
  ('s2:vegetation_percentage', '{"type": "number"}', 'to_float', 'BTREE'),
  ('processing:facility', '{"type": "string"}', 'to_text', 'BTREE')) v (name, definition, wrapper, kind)
where v.name not in (select name from pgstac.queryables);
select pgstac.maintain_partitions();
analyze;
