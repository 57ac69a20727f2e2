-- The row of a COG whose bytes are gone. Uses the primary key.
delete from cog_on_demand where source = $1 and state in ('leaving', 'making')
