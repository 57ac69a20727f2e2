-- As time.sql, where some items have a period that is more than their datetime. They are looked at again; far_since and
-- far_until are as far outside as the datetime of such an item can lie.
i.dt between @far_since::timestamptz and @far_until::timestamptz
and (i.dt between @since::timestamptz and @until::timestamptz or
     (select coalesce(g.begins, g.dt) <= @until::timestamptz and coalesce(g.ends, g.dt) >= @since::timestamptz from item g where g.pk = i.pk))
