-- A part of every search: what meets the interval.
i.dt between @since::timestamptz and @until::timestamptz
