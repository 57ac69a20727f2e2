-- The revision of all items, see revision.go. Reads item_revision, which has one row, and count_delta, which is folded every second.
(select r.n || ':' || count(d.*) || ':' || coalesce(sum(d.xmin::text::bigint), 0) from item_revision r left join count_delta d on true group by r.n)
