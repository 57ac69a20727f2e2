-- Takes orders in which nothing is waited for any more and whose notice is due, and puts it off while it is sent; those of two who look get
-- each another. Uses stage_order_notice, stage_request_pkey.
update stage_order set notice_next = now() + @lease::interval, notice_tries = notice_tries + 1
where id in (
  select o.id from stage_order o
  where o.notice_next <= now() and not exists (select from stage_request r where r.order_id = o.id and r.outcome = 'open')
  order by o.notice_next limit @most for update skip locked
)
returning id, notice_tries
