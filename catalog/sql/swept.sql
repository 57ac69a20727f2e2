-- Removes what else there is of a collection whose items have been removed. Reads count_delta, which is small.
with dictionaries as (
  delete from dictionary where col = $1
), tombstones as (
  delete from tombstone where col = $1
), deltas as (
  delete from count_delta where col = $1
), days as (
  delete from day_total where col = $1
), cells as (
  delete from cell_total where col = $1
)
delete from removal where col = $1
