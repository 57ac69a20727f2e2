-- Items of a subscription that are to be jobs, oldest first. Uses subscription_item_due.
select i.collection, i.item
from subscription_item i join subscription s on s.id = i.subscription
where s.id = $1 and not s.paused and i.job is null and i.failure = '' and i.next_try <= now()
order by i.at, i.item
limit $2
