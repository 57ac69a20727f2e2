-- Carts: lists of items that people keep at the server, to download or process them later.

-- +goose Up
create table cart (
  id         text collate "C" primary key,
  owner      text collate "C" not null,           -- id of an account; '': a stranger's, which goes when it is not used
  title      text not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index cart_owner on cart (owner, created_at desc, id);

create table cart_item (
  cart       text collate "C" not null references cart (id) on delete cascade,
  collection text collate "C" not null,
  item       text collate "C" not null,
  at         bigint generated always as identity, -- the order in which they came
  primary key (cart, collection, item)
);
create index cart_item_at on cart_item (cart, at);

-- +goose Down
drop table cart_item;
drop table cart;
