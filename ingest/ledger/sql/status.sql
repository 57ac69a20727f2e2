-- What there is of each state, as it is counted with each change, and the oldest that waits. Uses mirror_product_wanted.
select
  coalesce(sum(products) filter (where state = 'wanted'), 0)::bigint, coalesce(sum(products) filter (where state = 'offline'), 0)::bigint,
  coalesce(sum(products) filter (where state = 'held'), 0)::bigint,
  coalesce(sum(products) filter (where state = 'superseded'), 0)::bigint, coalesce(sum(products) filter (where state = 'quarantined'), 0)::bigint,
  coalesce(sum(products) filter (where state = 'gone'), 0)::bigint,
  coalesce(sum(bytes) filter (where state = 'wanted'), 0)::bigint, coalesce(sum(bytes) filter (where state = 'held'), 0)::bigint,
  (select min(published) from mirror_product where mirror = @mirror and state = 'wanted'), max(published) filter (where state = 'held')
from mirror_count
where mirror = @mirror
