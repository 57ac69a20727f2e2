-- A part of walk, cells and ids: what comes after the token's row, and meets the interval. An item whose period is more
-- than its datetime is looked at again; reach_before and reach_after say how far such an item can lie outside.
and i.dt <= least(@until::timestamptz + c.reach_before, @token_dt::timestamptz)
and (i.dt, i.pk) < (@token_dt::timestamptz, @token_pk::bigint)
and i.dt >= @since::timestamptz - c.reach_after
and (i.dt between @since::timestamptz and @until::timestamptz or
     (select coalesce(g.begins, g.dt) <= @until::timestamptz and coalesce(g.ends, g.dt) >= @since::timestamptz from item g where g.pk = i.pk))
