-- The COGs of these sources were used just now. Uses the primary key.
update cog_on_demand set used = now() where source = any($1) and state = 'ready'
