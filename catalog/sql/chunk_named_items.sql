-- The bodies of some items. Uses item_pk.
select pk, dict, body from item where pk = any($1::bigint[])
