-- Products that their hub has on cold storage and takes no order for: they are listed, and wanted again when the hub has them online.

-- +goose Up
alter table mirror_product drop constraint mirror_product_state_check;
alter table mirror_product add constraint mirror_product_state_check check (state in ('wanted', 'offline', 'held', 'superseded', 'quarantined', 'gone'));

-- +goose Down
update mirror_product set state = 'wanted' where state = 'offline';
alter table mirror_product drop constraint mirror_product_state_check;
alter table mirror_product add constraint mirror_product_state_check check (state in ('wanted', 'held', 'superseded', 'quarantined', 'gone'));
