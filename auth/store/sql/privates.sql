-- What is private, and whom it is shown.
select p.collection, coalesce(g.account, ''), coalesce(g.role, '')
from private_collection p left join collection_grant g on g.collection = p.collection
order by 1, 2, 3
