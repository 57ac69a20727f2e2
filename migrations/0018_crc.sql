-- CRC-32 of contents that were sent in a zip: what it takes a reading to know.

-- +goose Up
create table content_crc (
  sha256 bytea primary key,
  crc32  bigint not null
);

-- +goose Down
drop table content_crc;
