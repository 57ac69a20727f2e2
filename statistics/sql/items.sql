-- Items by collection, products or not. Reads the counts of the catalog.
select c.id, coalesce(sum(d.n), 0)::bigint from collection c left join day_count d on d.col = c.number group by 1
