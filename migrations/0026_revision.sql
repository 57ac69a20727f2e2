-- What says whether items have changed: counts that were taken stay exact as long as this and count_delta are the same (catalog/revision.go).

-- +goose Up
create table item_revision (n bigint not null); -- one row; changed under the advisory lock of who folds counts
insert into item_revision values (0);

-- +goose Down
drop table item_revision;
