-- Numbers the words that have none yet, after the last of their kind; platforms only up to $3. Uses word_kind_text_key and
-- word_pkey. The caller holds the lock of those who number. The last numbers are read once: a look for each word would walk over
-- those that this statement has made before it.
with last as materialized (
  select k, (select coalesce(max(number), 0) from word where kind = k::"char") as number
  from (select distinct unnest($1::text[]) as k) kinds
)
insert into word (kind, number, text)
select kind, number, text
from (
  select k::"char" as kind, t as text, last.number + row_number() over (partition by k order by t) as number
  from unnest($1::text[], $2::text[]) as new(k, t)
  join last using (k)
  where not exists (select from word where kind = k::"char" and text = t)
) s
where kind = 'g' or number <= $3::int
