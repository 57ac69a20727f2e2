package catalog

import (
	"context"
	"slices"
	"strings"
	"testing"

	"swath/stac"
)

// checkAll checks a store and returns what is wrong, sorted.
func checkAll(t *testing.T, s *Store, repair bool) (problems []string) {
	t.Helper()
	items := 0
	done, err := s.Check(t.Context(), CheckOptions{
		Repair:  repair,
		Problem: func(p Problem) { problems = append(problems, p.Collection+"/"+p.Item+": "+p.Text) },
		Item:    func(context.Context, stac.Item) error { items++; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if int(done.Problems) != len(problems) || items == 0 {
		t.Errorf("%+v of %d problems and %d items", done, len(problems), items)
	}
	slices.Sort(problems)
	return problems
}

// TestCheck: what items of every kind leave is in order. Every column, count and extent that is changed behind the catalog's
// back is found, and repaired to what it was.
func TestCheck(t *testing.T) {
	s := newStore(t, "c")
	lines := realItems(t, 15)
	ensure := func(ctx context.Context, id string) error {
		return s.PutCollection(ctx, stac.Collection{ID: id, Body: []byte(`{"type":"Collection","id":"` + id + `"}`)})
	}
	loadText(t, s, LoadOptions{EnsureCollection: ensure}, strings.Join(lines, "\n"))
	for i, geometry := range []string{`null`, `{"type":"Polygon","coordinates":[[[170,0],[-170,0],[-170,10],[170,10],[170,0]]]}`} {
		put(t, s, itemOf("c", string(rune('a'+i)), geometry, noon))
	}
	if err := s.Settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	if problems := checkAll(t, s, false); len(problems) > 0 {
		t.Fatalf("at first: %s", strings.Join(problems, "\n"))
	}
	before := dump(t, s)
	for sql, want := range map[string]string{
		"update item set dt = dt + '1 s' where pk = 1":                                          "dt",
		"update item set begins = dt where pk = 2":                                              "begins",
		"update item set cc = 101 where pk = 3":                                                 "cc",
		"update item set cell = 0 where pk = 4":                                                 "cell",
		"update item set x1 = x1 - 1 where pk = 5":                                              "x0, x1",
		"update item set grid = 77 where pk = 6":                                                "grid",
		"update item set orbit = 5, plat = 99 where pk = 7":                                     "orbit, plat",
		"update item set ph = '{1,2}' where pk = 8":                                             "ph",
		"update item set geom = st_asewkb('srid=4326;point(0 0)'::geometry) where pk = 9":       "geom",
		"update item set idk = 0 where pk = 10":                                                 "idk",
		"delete from day_total where ctid in (select ctid from day_total limit 2)":              "days",
		"update cell_total set n = n + 1 where ctid in (select ctid from cell_total limit 1)":   "cells",
		"insert into count_delta (n, day, cell, col, decile) values (1, '2020-01-01', 7, 1, 3)": "days",
		"update collection set east = west, north = south where id = 'c'":                       "cover",
		"delete from property where name = 'datetime'":                                          "cover",
	} {
		if _, err := s.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(sql, err)
		}
		s.covered.Clear()
		problems := strings.Join(checkAll(t, s, false), "\n")
		if !strings.Contains(problems, want) {
			t.Errorf("%s: found %q, want %q", sql, problems, want)
		}
		checkAll(t, s, true)
		s.covered.Clear()
		if problems := checkAll(t, s, false); len(problems) > 0 {
			t.Errorf("%s: after the repair: %s", sql, strings.Join(problems, "\n"))
		}
	}
	diff(t, dump(t, s), before)

	if _, err := s.pool.Exec(t.Context(), "update item set body = '\\x28b52ffd00' where pk = 1"); err != nil {
		t.Fatal(err)
	}
	if problems := checkAll(t, s, true); len(problems) == 0 || !strings.Contains(problems[0], "unpacked") {
		t.Errorf("a damaged body: %v", problems)
	}
}
