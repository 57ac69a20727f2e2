-- The better setting of the peer: queryables with an index for the four properties that the queries name.
insert into pgstac.queryables (name, definition, property_wrapper, property_index_type) values
  ('eo:cloud_cover', '{"type": "number"}', 'to_float', 'BTREE'),
  ('sat:relative_orbit', '{"type": "integer"}', 'to_int', 'BTREE'),
  ('s2:vegetation_percentage', '{"type": "number"}', 'to_float', 'BTREE'),
  ('processing:facility', '{"type": "string"}', 'to_text', 'BTREE');
select pgstac.maintain_partitions();
analyze;
