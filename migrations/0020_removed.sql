-- What is gone with its collection is told of, too; and what is gone can be listed by when it came and changed. Who orders from the archive is told when
-- it is there.

-- +goose Up
-- Collections that were removed while products of theirs are remembered.
create table collection_gone (
  number smallint primary key,
  id     text collate "C" not null
);
create index tombstone_published on tombstone (published, pk);
create index tombstone_updated   on tombstone (updated, pk);

alter table stage_order add column notice_next  timestamptz;            -- when it is looked at whether to tell; null: nobody is told, or was already
alter table stage_order add column notice_tries int not null default 0;
create index stage_order_notice on stage_order (notice_next) where notice_next is not null;

-- +goose Down
alter table stage_order drop column notice_next, drop column notice_tries;
drop index tombstone_published, tombstone_updated;
delete from tombstone  where col in (select number from collection_gone);
delete from dictionary where col in (select number from collection_gone);
drop table collection_gone;
