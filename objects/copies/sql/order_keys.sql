-- The copies that an order asks for, locked in one order so that orders wait for each other and never in a ring. Uses copy_pkey.
select key, state, bytes from copy where key = any(@keys) order by key for update;
