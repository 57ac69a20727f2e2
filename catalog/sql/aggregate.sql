-- How many rows match by one key, the most frequent first, and how many in all. Words are looked up once for each of them. Uses the index
-- of the plan alone where its columns decide.
with grouped as (
  select {{key}} as value, count(*) as n
  from {{from}} {{where}}
  group by 1
), counted as (
  select {{text}} as key, sum(n)::bigint as n from grouped g group by 1
)
select key, n, (sum(n) over ())::bigint from counted where key is not null order by n desc, key limit @buckets::int
