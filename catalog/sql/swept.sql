-- Removes what else there is of a collection whose items have been removed; its name and dictionaries stay while items of it are remembered.
-- Reads count_delta, which is small, and tombstone.
with dictionaries as (
  delete from dictionary where col = $1 and not exists (select from tombstone where col = $1)
), name as (
  delete from collection_gone where number = $1 and not exists (select from tombstone where col = $1)
), deltas as (
  delete from count_delta where col = $1
), days as (
  delete from day_total where col = $1
), cells as (
  delete from cell_total where col = $1
), revised as (
  update item_revision set n = n + 1
)
delete from removal where col = $1
