-- What became of a COG that was claimed. Uses the primary key.
update cog_on_demand set state = $2, bytes = $3, since = clock_timestamp(), used = clock_timestamp() where source = $1 and state = 'making'
