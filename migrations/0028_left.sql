-- Every item that left is remembered, product or not, so that who follows the catalog hears of it; and how much of what was sent are pictures.

-- +goose Up
alter table tombstone add column product boolean not null default true; -- what is none is forgotten after a while
create index tombstone_passing on tombstone (at) where not product;

alter table traffic add column drawn boolean not null default false;    -- tiles, pictures and values that were worked out of files
alter table traffic drop constraint traffic_pkey, add primary key (day, collection, platform, drawn);

-- +goose Down
create table traffic_before as select day, collection, platform, sum(requests)::bigint as requests, sum(seconds) as seconds, sum(bytes)::bigint as bytes from traffic group by 1, 2, 3;
truncate traffic;
alter table traffic drop column drawn, add primary key (day, collection, platform);
insert into traffic (day, collection, platform, requests, seconds, bytes) select * from traffic_before;
drop table traffic_before;
delete from tombstone where not product;
alter table tombstone drop column product;
