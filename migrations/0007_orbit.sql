-- A relative orbit is what a satellite's images of a place are asked by; among the rows of a collection it is one in 150.

-- +goose Up
create index item_orbit on item (col, orbit, dt, pk) with (fillfactor = 96) where orbit is not null;
-- Items come in the order of time and are hardly ever replaced: a tenth of every page kept free is room for nobody.
alter index if exists item_walk set (fillfactor = 96);
alter index if exists item_cell set (fillfactor = 96);
alter index if exists item_cc set (fillfactor = 96);
-- Each of an item's thirty terms has a place of its own in their index. Single writes gather in a short list, which is put in order
-- together, and which a search reads too.
alter index if exists item_terms set (fastupdate = on, gin_pending_list_limit = 64);
update set_aside set definition = regexp_replace(definition, 'fastupdate=[^)]*', 'fastupdate=''on'', gin_pending_list_limit=''64''')
  where name = 'item_terms';
update set_aside set definition = replace(definition, ' WHERE ', ' WITH (fillfactor=''96'') WHERE ') where name = 'item_cc';
update set_aside set definition = definition || ' WITH (fillfactor=''96'')' where name in ('item_walk', 'item_cell');

-- +goose Down
drop index if exists item_orbit; -- a load may have set it aside
delete from set_aside where name = 'item_orbit';
alter index if exists item_terms set (fastupdate = off);
alter index if exists item_terms reset (gin_pending_list_limit);
update set_aside set definition = regexp_replace(definition, 'fastupdate=[^)]*', 'fastupdate=''off''') where name = 'item_terms';
alter index if exists item_walk reset (fillfactor);
alter index if exists item_cell reset (fillfactor);
alter index if exists item_cc reset (fillfactor);
