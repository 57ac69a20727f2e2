-- What changed lately, of all items, and of which mission files are downloaded.

-- +goose Up
-- Summaries of stretches of the table, which cost a load nothing and hardly any space.
create index item_changed on item using brin (updated) with (pages_per_range = 32, autosummarize = on);

alter table traffic add column platform text collate "C" not null default ''; -- of the item whose file was downloaded, if it says so
alter table traffic drop constraint traffic_pkey, add primary key (day, collection, platform);

-- +goose Down
create table traffic_before as select day, collection, sum(requests)::bigint as requests, sum(seconds) as seconds, sum(bytes)::bigint as bytes from traffic group by 1, 2;
truncate traffic;
alter table traffic drop column platform, add primary key (day, collection);
insert into traffic select * from traffic_before;
drop table traffic_before;
drop index if exists item_changed;
delete from set_aside where name = 'item_changed';
