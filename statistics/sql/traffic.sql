-- Requests and what was sent, by collection and platform of downloads, whether it was drawn, and day, or month where it is longer ago than a year.
select case when day > (now() at time zone 'UTC')::date - 367 then day else date_trunc('month', day)::date end, collection, platform, drawn,
  sum(requests)::bigint, sum(seconds), sum(bytes)::bigint
from traffic group by 1, 2, 3, 4
