-- What left more than $1 seconds ago, or was claimed more than $2 seconds ago by a server that must have died. Reads the whole table.
select source, object from cog_on_demand
where state = 'leaving' and since < now() - make_interval(secs => $1) or state = 'making' and since < now() - make_interval(secs => $2)
