-- Orders with what became of their files, the newest first. Uses stage_order_owner or stage_order_pkey.
select o.id, o.owner, o.lane, o.created_at, count(r.key), coalesce(sum(r.bytes), 0)::bigint,
  count(*) filter (where r.outcome = 'open'), count(*) filter (where r.outcome = 'served'), count(*) filter (where r.outcome = 'failed'),
  count(*) filter (where r.outcome = 'canceled'), count(*) filter (where r.outcome = 'open' and c.state in ('restoring', 'verifying')), max(r.done_at)
from (
  select * from stage_order
  where (@id <> '' and id = @id or @id = '' and owner = @owner) and (@before_id = '' or (created_at, id) < (@before::timestamptz, @before_id))
  order by created_at desc, id desc limit @most
) o left join stage_request r on r.order_id = o.id left join copy c on c.key = r.key
group by o.id, o.owner, o.lane, o.created_at order by o.created_at desc, o.id desc;
