-- The transactions that may be inserting items now: each holds the lock of a collection until its end.
select coalesce(array_agg(distinct pid || ' ' || virtualtransaction), '{}')
from pg_locks
where locktype = 'advisory' and classid = $1 and objsubid = 2 and database = (select oid from pg_database where datname = current_database())
