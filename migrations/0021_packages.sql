-- Packages: processes that users have deployed. A document never changes; those that were replaced stay for the jobs that pinned them.

-- +goose Up
create table package (
  id        text collate "C" not null,          -- of the process
  version   text not null,                      -- follows from the document
  document  bytea not null,                     -- as it was given: CWL, YAML or JSON
  workflow  text not null default '',           -- the process of the document that runs; '' is the only one
  owner     text collate "C" not null default '',
  deployed  timestamptz not null default now(),
  live      boolean not null default true,      -- false: replaced or taken away
  primary key (id, version)
);
create unique index package_live on package (id) where live;

-- +goose Down
drop table package;
