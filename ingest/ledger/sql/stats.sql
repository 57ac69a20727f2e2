-- How late products came, by day. Uses mirror_delay_pkey.
select day::timestamptz, urgent, hours, products
from mirror_delay
where mirror = @mirror and day >= (@since::timestamptz at time zone 'utc')::date
order by day, urgent, hours
