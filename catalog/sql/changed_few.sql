-- Whether no more than so many items changed from one moment to another, and the database's time. Uses item_changed.
select (select count(*) from (select from item where updated >= @since::timestamptz and updated < @until::timestamptz limit @most::int + 1) few) <= @most::int, now()
