-- Creates a collection unless there is one of this id. Uses collection_id_key.
insert into collection (id, updated, body) values ($1, now(), $2)
on conflict (id) do nothing
returning updated
