-- Files that came with the requests of jobs. They lie among the objects of their job, below jobs/{job}/in, until it has ended.

-- +goose Up
create table job_upload (
  job     text collate "C" primary key,                -- written before the files; there may never be such a job
  owner   text collate "C" not null,                   -- account; '' is strangers together
  bytes   bigint not null,
  created timestamptz not null default now()
);
create index job_upload_owner on job_upload (owner);

-- +goose Down
drop table job_upload;
