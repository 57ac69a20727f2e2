-- Lets leave what was not used for $1 seconds, and of what is left the longest unused beyond $2 bytes. Reads the whole table.
with kept as (
  select source, sum(bytes) over (order by used desc, source) as bytes, used from cog_on_demand where state = 'ready'
)
update cog_on_demand c set state = 'leaving', since = clock_timestamp()
from kept k
where k.source = c.source and c.state = 'ready' and (k.bytes > $2 or k.used < now() - make_interval(secs => $1))
