-- What mirrors are asked for often, kept by the transaction that changes it: how many products are in each state, and how late they came.
-- And what comes first: products that were published soon after their acquisition.

-- +goose Up
alter table mirror_product add column urgent boolean not null default false;
drop index mirror_product_due;
create index mirror_product_due on mirror_product (mirror, urgent desc, published desc) where state in ('wanted', 'quarantined');
create index mirror_product_wanted on mirror_product (mirror, published) where state = 'wanted';
create index mirror_product_next on mirror_product (mirror, next_try) where state = 'wanted';

create table mirror_count (
  mirror    text not null,
  state     text not null,
  products  bigint not null,
  bytes     bigint not null,                      -- that are held, else that the hub says
  published timestamptz not null,                 -- the last that ever came to the state
  primary key (mirror, state)
);

create table mirror_delay (
  mirror   text not null,
  day      date not null,                         -- on which it could be searched here, UTC
  urgent   boolean not null,
  hours    int not null,                          -- after its publication at the hub, at most; 2147483647: longer than any other
  products bigint not null,
  primary key (mirror, day, urgent, hours)
);

-- +goose StatementBegin
create function mirror_count_add() returns trigger language plpgsql as $$
begin
  if TG_OP = 'INSERT' then
    insert into mirror_count as c
      select mirror, state, count(*), sum(case when state = 'held' then coalesce(held_bytes, 0) else bytes end), max(published) from new_rows group by 1, 2 order by 1, 2
      on conflict (mirror, state) do update set products = c.products + excluded.products, bytes = c.bytes + excluded.bytes, published = greatest(c.published, excluded.published);
  elsif TG_OP = 'DELETE' then
    update mirror_count c set products = c.products - d.products, bytes = c.bytes - d.bytes
      from (select mirror, state, count(*) as products, sum(case when state = 'held' then coalesce(held_bytes, 0) else bytes end) as bytes from old_rows group by 1, 2) d
      where c.mirror = d.mirror and c.state = d.state;
  else
    insert into mirror_count as c
      select mirror, state, sum(n), sum(b), max(published) from (
        select mirror, state, 1 as n, case when state = 'held' then coalesce(held_bytes, 0) else bytes end as b, published from new_rows
        union all
        select mirror, state, -1, -case when state = 'held' then coalesce(held_bytes, 0) else bytes end, '-infinity' from old_rows) s
      group by 1, 2 having sum(n) <> 0 or sum(b) <> 0 order by 1, 2
      on conflict (mirror, state) do update set products = c.products + excluded.products, bytes = c.bytes + excluded.bytes, published = greatest(c.published, excluded.published);
    insert into mirror_delay as d
      select n.mirror, (n.held_at at time zone 'utc')::date, n.urgent,
        coalesce((select min(h) from unnest('{1,2,3,6,12,24,48,72,168,720}'::int[]) h where n.held_at - n.published <= make_interval(hours => h)), 2147483647), count(*)
      from new_rows n join old_rows o on o.mirror = n.mirror and o.id = n.id
      where n.state = 'held' and o.state <> 'held' and n.held_at = now()
      group by 1, 2, 3, 4 order by 1, 2, 3, 4
      on conflict (mirror, day, urgent, hours) do update set products = d.products + excluded.products;
  end if;
  return null;
end $$;
-- +goose StatementEnd
create trigger mirror_count_insert after insert on mirror_product referencing new table as new_rows for each statement execute function mirror_count_add();
create trigger mirror_count_delete after delete on mirror_product referencing old table as old_rows for each statement execute function mirror_count_add();
create trigger mirror_count_update after update on mirror_product referencing old table as old_rows new table as new_rows for each statement execute function mirror_count_add();

insert into mirror_count
  select mirror, state, count(*), sum(case when state = 'held' then coalesce(held_bytes, 0) else bytes end), max(published) from mirror_product group by 1, 2;
insert into mirror_delay
  select mirror, (held_at at time zone 'utc')::date, urgent,
    coalesce((select min(h) from unnest('{1,2,3,6,12,24,48,72,168,720}'::int[]) h where held_at - published <= make_interval(hours => h)), 2147483647), count(*)
  from mirror_product where state = 'held' and held_at is not null group by 1, 2, 3, 4;

-- +goose Down
drop table mirror_count, mirror_delay;
drop trigger mirror_count_insert on mirror_product;
drop trigger mirror_count_delete on mirror_product;
drop trigger mirror_count_update on mirror_product;
drop function mirror_count_add();
drop index mirror_product_next, mirror_product_wanted, mirror_product_due;
alter table mirror_product drop column urgent;
create index mirror_product_due on mirror_product (mirror, published desc) where state in ('wanted', 'quarantined');
