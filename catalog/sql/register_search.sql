-- Keeps a search, unless there are too many ($3); answers whether it is kept. Uses registered_search_pkey.
with new as (
  insert into registered_search (id, body)
  select $1, $2 where (select count(*) from registered_search) < $3
  on conflict (id) do nothing
  returning id
)
select exists (select from new union all select from registered_search where id = $1)
