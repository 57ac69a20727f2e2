-- Subscriptions that somebody may see, with their figures. Uses subscription_item_pkey, job_subscription and backfill_pkey.
select s.id, s.name, s.owner, s.process, s.input, s.search, s.request, s.paused, s.reason, s.created, s.updated,
       i.matched, i.waiting, i.refused, coalesce(i.refusal, ''), i.newest,
       (select count(*) from backfill b where b.subscription = s.id),
       (select coalesce(jsonb_object_agg(status, n), '{}') from (select status, count(*) as n from job where subscription = s.id group by status) j)
from subscription s
cross join lateral (
  select count(*) as matched, count(*) filter (where job is null and failure = '') as waiting, count(*) filter (where failure <> '') as refused,
         (array_agg(failure order by at desc) filter (where failure <> ''))[1] as refusal, max(at) as newest
  from subscription_item where subscription = s.id) i
where (@all or s.owner = @owner) and (@id = '' or s.id = @id)
order by s.created desc, s.id desc
