-- Removes the row of a COG that left more than $2 seconds ago, or was claimed more than $3 seconds ago, and tells the COG. Uses the
-- primary key.
delete from cog_on_demand
where source = $1
  and (state = 'leaving' and since < now() - make_interval(secs => $2) or state = 'making' and since < now() - make_interval(secs => $3))
returning object
