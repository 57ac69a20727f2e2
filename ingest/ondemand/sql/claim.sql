-- Claims the making of a COG: a row, unless it is there already. One that failed may be tried again after a day. Uses the primary key.
insert into cog_on_demand as c (source, object, state) values ($1, $2, 'making')
on conflict (source) do update set object = $2, state = 'making', since = clock_timestamp(), bytes = 0
  where c.state = 'failed' and c.since < now() - interval '1 day'
