-- All COGs that there are, with their sources. Reads the whole table.
select source, object from cog_on_demand where state = 'ready'
