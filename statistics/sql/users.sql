-- Accounts by the month they were made and their country.
select date_trunc('month', created at time zone 'UTC')::date, country, count(*),
  count(*) filter (where seen > (now() at time zone 'UTC')::date - 30)
from account where not disabled and erased is null group by 1, 2 order by 1, 2
