-- What changed lately, of all items: summaries of stretches of the table, which cost a load nothing and hardly any space.

-- +goose Up
create index item_changed on item using brin (updated) with (pages_per_range = 32, autosummarize = on);

-- +goose Down
drop index if exists item_changed;
delete from set_aside where name = 'item_changed';
