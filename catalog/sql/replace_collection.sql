-- Replaces the body of a collection that is still the one that was read ($3). Uses collection_pkey.
update collection set updated = now(), body = $2 where number = $1 and body::text = $3
returning updated
