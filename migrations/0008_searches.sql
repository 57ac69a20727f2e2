-- Searches that were registered to be drawn: who has the id, a digest of what was asked, draws what it finds.

-- +goose Up
create table registered_search (
  id       text collate "C" primary key,
  body     json not null,                         -- as it was registered: search and metadata
  at       timestamptz not null default now()
);

-- +goose Down
drop table registered_search;
