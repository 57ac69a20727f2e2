-- Sets how far the load of a file came. Uses load_mark_pkey.
insert into load_mark (source, line, bytes, loaded, unchanged, replaced, rejected, at)
values ($1, $2, $3, $4, $5, $6, $7, now())
on conflict (source) do update
set line = excluded.line, bytes = excluded.bytes, loaded = excluded.loaded, unchanged = excluded.unchanged,
    replaced = excluded.replaced, rejected = excluded.rejected, at = excluded.at
