-- Takes some of the marks of replaced items away, and says which these are.
delete from chunk_stale where ctid = any (array(select ctid from chunk_stale limit $1)) returning pk
