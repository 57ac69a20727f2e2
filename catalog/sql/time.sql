-- A part of every search: what meets the interval.
and i.dt between @since::timestamptz and @until::timestamptz
