-- A collection may have several dictionaries, as it grows: its newest one packs, an item is unpacked with its own.

-- +goose Up
alter table dictionary drop constraint if exists dictionary_col_key;
alter table dictionary add items bigint not null default 2500; -- of the collection, when it was trained
create index dictionary_newest on dictionary (col, number);

-- +goose Down
-- The older ones can't go: items need them. So all stay, and the step before trains no more.
drop index dictionary_newest;
alter table dictionary drop column items;
