-- What is gone with its collection is told of, too; and what is gone can be listed by when it came and changed.

-- +goose Up
-- Collections that were removed while products of theirs are remembered.
create table collection_gone (
  number smallint primary key,
  id     text collate "C" not null
);
create index tombstone_published on tombstone (published, pk);
create index tombstone_updated   on tombstone (updated, pk);

-- +goose Down
drop index tombstone_published, tombstone_updated;
delete from tombstone  where col in (select number from collection_gone);
delete from dictionary where col in (select number from collection_gone);
drop table collection_gone;
