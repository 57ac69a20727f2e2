-- Creates a collection or replaces its body when that is different. What its items cover stays. Uses collection_id_key.
insert into collection as t (id, updated, body) values (@id, now(), @body)
on conflict (id) do update set updated = excluded.updated, body = excluded.body
where t.body::text is distinct from excluded.body::text
