-- A relative orbit is what a satellite's images of a place are asked by; among the rows of a collection it is one in 150.

-- +goose Up
create index item_orbit on item (col, orbit, dt, pk) where orbit is not null;

-- +goose Down
drop index if exists item_orbit; -- a load may have set it aside
delete from set_aside where name = 'item_orbit';
