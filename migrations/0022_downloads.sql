-- What was downloaded, by whom, for thirteen months.

-- +goose Up
-- One row for the requests of a few seconds that are alike: readers of rasters ask for a file by many ranges.
create table download (
  at         timestamptz not null,              -- the last of them ended
  account    text collate "C" not null,         -- '' of strangers
  key        text collate "C" not null,         -- API key that was used; '' of sessions, passwords and tokens
  collection text collate "C" not null,
  item       text collate "C" not null,
  asset      text collate "C" not null,         -- '' of all files as one zip
  status     smallint not null,                 -- of HTTP
  requests   bigint not null,
  bytes      bigint not null,                   -- really sent, also of what was broken off
  seconds    double precision not null          -- until the last byte, of all requests together
);
create index download_at on download (at);
create index download_account on download (account, at);

-- +goose Down
drop table download;
