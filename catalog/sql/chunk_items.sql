-- The bodies of a range of items. Uses item_pk.
select pk, dict, body from item where pk >= $1 and pk < $2
