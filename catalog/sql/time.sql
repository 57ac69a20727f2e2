-- A part of every search: what meets the interval. An item whose period is more than its datetime is looked at again;
-- reach_before and reach_after say how far such an item can lie outside.
and i.dt <= @until::timestamptz + c.reach_before
and i.dt >= @since::timestamptz - c.reach_after
and (i.dt between @since::timestamptz and @until::timestamptz or
     (select coalesce(g.begins, g.dt) <= @until::timestamptz and coalesce(g.ends, g.dt) >= @since::timestamptz from item g where g.pk = i.pk))
