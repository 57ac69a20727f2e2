package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// fill makes a ledger of products that are held, acquired evenly since April 2014, and the cursors of a mirror that is up to date.
const fillSQL = `
insert into mirror_product (mirror, id, name, bytes, checksums, published, modified, acquired, online, state, first_seen, held_at, held_bytes, held_sums, collection, item, urgent)
select 'bench', md5(i::text)::uuid::text, n, 700000000 + i, array['MD5:' || md5(n)], a + interval '3 hours', a + interval '3 hours', a, true, 'held',
  a + interval '4 hours', a + interval '5 hours', 700000000 + i, array['MD5:' || md5(n)], 'sentinel-2-l1c', n, true
from (select i, a, 'S2A_MSIL1C_' || to_char(a, 'YYYYMMDD"T"HH24MISS') || '_N0500_R' || lpad((1 + i % 143)::text, 3, '0') || '_T31TCJ_' || lpad(i::text, 8, '0') || 'T000000.SAFE' as n
  from (select i, timestamptz '2014-04-03' + (i::float8 / $1) * (now() - timestamptz '2014-04-03' - interval '1 day') as a from generate_series($2::int, $3::int) i) s) t`

func benchLedger(ctx context.Context, dir string, rows int) error {
	url, stop, err := database(ctx, dir)
	if err != nil {
		return err
	}
	defer stop()
	if err := fill(ctx, url, rows); err != nil {
		return err
	}
	m, l, end, err := bench(ctx, dir, url, 0)
	if err != nil {
		return err
	}
	defer end()
	cycle := func() error {
		if err := m.Cycle(ctx); err != nil {
			return err
		}
		due, err := l.Due(ctx, 1, nil)
		if err == nil && len(due) > 0 {
			err = fmt.Errorf("%s waits to be fetched, in a ledger that should be up to date", due[0].Name)
		}
		if err == nil {
			_, err = l.Next(ctx)
		}
		return err
	}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"a cycle with nothing new (three lists, removals, what is due)", cycle}, {"the same again", cycle},
		{"counts of 60 days here", func() error {
			for i := range 60 {
				day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -i)
				if _, err := l.Counted(ctx, day, day.AddDate(0, 0, 1)); err != nil {
					return err
				}
			}
			return nil
		}},
		{"counts of all days here", func() error {
			for day := time.Date(2014, 4, 3, 0, 0, 0, 0, time.UTC); day.Before(time.Now()); day = day.AddDate(0, 0, 1) {
				if _, err := l.Counted(ctx, day, day.AddDate(0, 0, 1)); err != nil {
					return err
				}
			}
			return nil
		}},
		{"status", func() error {
			s, err := l.Status(ctx)
			if err == nil && s.Held != int64(rows) {
				err = fmt.Errorf("%d are held", s.Held)
			}
			return err
		}},
	} {
		began := used()
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		wall, cpu := began.since()
		fmt.Printf("ledger of %d rows: %s: %.3f s, %.3f s of our CPU, %d MiB at most\n", rows, step.name, wall, cpu, peak())
	}
	return nil
}

// fill makes the rows where they are not there yet.
func fill(ctx context.Context, url string, rows int) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var have int64
	if err := conn.QueryRow(ctx, "select count(*) from mirror_cursor").Scan(&have); err != nil || have == 3 {
		return err
	}
	if err := fresh(ctx, url); err != nil {
		return err
	}
	began := time.Now()
	exec := func(sql string, args ...any) {
		if err == nil {
			_, err = conn.Exec(ctx, sql, args...)
		}
	}
	// Without its indexes and out of the log, as a load of a minute instead of an hour; the indexes are made anew as they were.
	var indexes []string
	if err := conn.QueryRow(ctx, `select array_agg(indexdef order by indexname) from pg_indexes where tablename = 'mirror_product' and indexname <> 'mirror_product_pkey'`).Scan(&indexes); err != nil {
		return err
	}
	exec("alter table mirror_product disable trigger user")
	exec("alter table mirror_product set unlogged")
	exec("alter table mirror_product drop constraint mirror_product_pkey")
	exec("do $$ declare i text; begin for i in select indexname from pg_indexes where tablename = 'mirror_product' loop execute 'drop index ' || i; end loop; end $$")
	const batch = 1_000_000
	for from := 1; from <= rows && err == nil; from += batch {
		exec(fillSQL, rows, from, min(rows, from+batch-1))
		fmt.Printf("filled up to %d after %v\n", min(rows, from+batch-1), time.Since(began).Round(time.Second))
	}
	exec("set maintenance_work_mem = '1GB'")
	for _, index := range append(indexes, "alter table mirror_product add primary key (mirror, id)") {
		exec(index)
		fmt.Printf("%s after %v\n", index, time.Since(began).Round(time.Second))
	}
	exec("alter table mirror_product enable trigger user")
	exec("insert into mirror_count select mirror, state, count(*), sum(held_bytes), max(published) from mirror_product group by 1, 2")
	exec("vacuum analyze mirror_product")
	exec("insert into mirror_cursor select 'bench', l, now() from unnest('{published,modified,deleted}'::text[]) l")
	return err
}
