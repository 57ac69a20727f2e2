-- Forgets items that were no products and left so many days ($1) ago, and then the names and dictionaries of removed collections of which
-- nothing is remembered. Uses tombstone_passing; reads tombstone where collections were removed.
with forgotten as (
  delete from tombstone where not product and at < now() - make_interval(days => $1) returning col
), empty as (
  select number from collection_gone g
  where number in (select col from forgotten) and not exists (select from removal where col = number)
    and not exists (select from tombstone t where t.col = number and (t.product or t.at >= now() - make_interval(days => $1)))
), dictionaries as (
  delete from dictionary where col in (select number from empty)
)
delete from collection_gone where number in (select number from empty)
