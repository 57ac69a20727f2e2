-- Accounts: who may ask, by what they are recognised, what they used, and which collections only some may know of.

-- +goose Up
create table account (
  id        text collate "C" primary key,              -- opaque; it stays when the person is erased
  name      text collate "C" not null unique,          -- what is signed in with
  role      text not null check (role in ('reader', 'processor', 'centre', 'operator', 'admin')),
  password  text not null default '',                  -- argon2id; empty: none
  issuer    text collate "C" not null default '',      -- and the subject there, of an account of an OIDC issuer
  subject   text collate "C" not null default '',
  email     text not null default '',
  country   text not null default '',                  -- ISO 3166-1, two letters, where the person or the issuer says
  quotas    jsonb,                                     -- its own; null: those of its role
  disabled  boolean not null default false,
  created   timestamptz not null default now(),
  seen      date,                                      -- the last day it asked for something
  erased    timestamptz
);
create unique index account_subject on account (issuer, subject) where subject <> '';

create table account_key (
  id        text collate "C" primary key,              -- the first part of the key, which may be shown
  account   text collate "C" not null references account on delete cascade,
  name      text not null default '',                  -- what the person calls it
  digest    bytea not null,                            -- SHA-256 of the second part, which nobody keeps
  role      text not null default '',                  -- it may do no more than this; empty: what the account may
  created   timestamptz not null default now(),
  expires   timestamptz,
  used      date,
  revoked   timestamptz
);
create index account_key_account on account_key (account);

create table account_session (
  digest    bytea primary key,                         -- SHA-256 of the cookie
  account   text collate "C" not null references account on delete cascade,
  created   timestamptz not null default now(),
  expires   timestamptz not null
);
create index account_session_account on account_session (account);

-- What was really sent, by account ('' is strangers together) and hour; after a month by day.
create table account_use (
  account   text collate "C" not null,
  at        timestamptz not null,
  requests  bigint not null,
  downloads bigint not null,
  bytes     bigint not null,
  primary key (account, at)
);
create index account_use_at on account_use (at);

create table private_collection (
  collection text collate "C" primary key,             -- which need not be there yet
  since      timestamptz not null default now()
);

create table collection_grant (
  collection text collate "C" not null references private_collection on delete cascade,
  account    text collate "C" references account on delete cascade,
  role       text check (role in ('reader', 'processor', 'centre')),  -- and those above
  check ((account is null) <> (role is null)),
  unique nulls not distinct (collection, account, role)
);

-- What the servers of one installation share: links and forms are signed by it.
create table account_secret (
  one    boolean primary key default true check (one),
  secret bytea not null
);

-- +goose Down
drop table account_secret;
drop table collection_grant;
drop table private_collection;
drop table account_use;
drop table account_session;
drop table account_key;
drop table account;
