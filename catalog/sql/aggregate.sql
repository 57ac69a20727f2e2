-- How many rows match by one key, the most frequent first, and how many in all. Uses the index of the plan alone where its
-- columns decide.
with counted as (
  select {{key}} as key, count(*) as n
  from {{from}} {{where}}
  group by 1
)
select key, n, (sum(n) over ())::bigint from counted where key is not null order by n desc, key limit @buckets::int
