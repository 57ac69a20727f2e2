-- What there is of each state, what waits, and how late what came in the last day came, in seconds from publication.
select
  count(*) filter (where state = 'wanted'), count(*) filter (where state = 'held'), count(*) filter (where state = 'superseded'),
  count(*) filter (where state = 'quarantined'), count(*) filter (where state = 'gone'),
  coalesce(sum(bytes) filter (where state = 'wanted'), 0)::bigint, coalesce(sum(held_bytes) filter (where state = 'held'), 0)::bigint,
  min(published) filter (where state = 'wanted'), max(published) filter (where state = 'held')
from mirror_product
where mirror = @mirror
