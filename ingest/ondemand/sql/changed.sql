-- What changed since a moment. Uses cog_on_demand_since.
select source, object, state, since from cog_on_demand where since > $1 order by since
