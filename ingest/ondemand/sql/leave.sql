-- The COG of a source that is gone leaves. Uses the primary key.
update cog_on_demand set state = 'leaving', since = clock_timestamp() where source = $1 and state = 'ready'
