package objecthttp

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"swath/stac"
	"swath/stac/cql2"
)

// layoutField is the member of a collection that says in which folders its items lie, such as "S1-L1-ORTHO/{tile}/{yyyy}/{mm}/{dd}".
// A name before the levels is that of the folder instead of the collection's id. Without {item}, which comes last, the files of all items
// of a folder lie in it side by side.
const layoutField = "swath:datalake"

// The levels of folders.
const (
	levelTile  = "{tile}"
	levelYear  = "{yyyy}"
	levelMonth = "{mm}"
	levelDay   = "{dd}"
	levelItem  = "{item}"
)

// usualLevels are those of a collection that says nothing, or nothing that can be read.
var usualLevels = []string{levelYear, levelMonth, levelDay, levelItem}

// layout is how a collection lies in folders.
type layout struct {
	collection, root string
	levels           []string
}

var rootName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$`)

func layoutOf(c stac.Collection) layout {
	usual := layout{c.ID, c.ID, usualLevels}
	var body map[string]any
	if json.Unmarshal(c.Body, &body) != nil {
		return usual
	}
	text, _ := body[layoutField].(string)
	parts := strings.Split(strings.Trim(text, "/"), "/")
	root := c.ID
	if !strings.HasPrefix(parts[0], "{") {
		root, parts = parts[0], parts[1:]
	}
	if !rootName.MatchString(root) && root != c.ID || !wellFormed(parts) {
		return usual
	}
	return layout{c.ID, root, parts}
}

// wellFormed reports whether levels are each there once at most, a year before its months before their days, and the item last.
func wellFormed(levels []string) bool {
	at := func(level string) int { return slices.Index(levels, level) }
	for i, level := range levels {
		above := map[string]string{levelMonth: levelYear, levelDay: levelMonth}[level]
		known := slices.Contains([]string{levelTile, levelYear, levelMonth, levelDay, levelItem}, level)
		if !known || at(level) != i || above != "" && (at(above) < 0 || at(above) > i) || level == levelItem && i != len(levels)-1 {
			return false
		}
	}
	return len(levels) > 0
}

// layouts are those of collections by their root folders. A name that two want is that of the collection with this id, or else of the first.
func layouts(all []stac.Collection) map[string]layout {
	of := map[string]layout{}
	for _, c := range all {
		if l := layoutOf(c); l.root == c.ID {
			of[l.root] = l
		}
	}
	for _, c := range all {
		l := layoutOf(c)
		if other, taken := of[l.root]; taken && other.collection != c.ID {
			l.root = c.ID
		}
		of[l.root] = l
	}
	return of
}

// place is a folder of a layout: what is in it, and what folders are in that.
type place struct {
	layout
	search stac.Search // of the items below, but that items with a period may lie in it only in part
	prefix string      // of the day that an item below is of, such as 2018-07
	item   string      // whose folder it is; empty: of several
	depth  int         // levels that the path names
}

// within goes into the folder that a path names; false when there can't be one.
func (l layout) within(path []string) (p place, ok bool) {
	p = place{layout: l, search: stac.Search{Collections: []string{l.collection}, Uncounted: true}, depth: len(path)}
	if len(path) > len(l.levels) {
		return p, false
	}
	var first time.Time
	for i, name := range path {
		var err error
		switch l.levels[i] {
		case levelTile:
			p.search.Filter = onTile(name)
		case levelYear:
			p.prefix = name
			first, err = time.Parse("2006", name)
			p.search.Datetime = until(first, 1, 0, 0)
		case levelMonth:
			p.prefix += "-" + name
			first, err = time.Parse("2006-01", p.prefix)
			p.search.Datetime = until(first, 0, 1, 0)
		case levelDay:
			p.prefix += "-" + name
			first, err = time.Parse(time.DateOnly, p.prefix)
			p.search.Datetime = until(first, 0, 0, 1)
		case levelItem:
			p.item = name
		}
		if err != nil || name == "" {
			return p, false
		}
	}
	return p, true
}

func until(first time.Time, years, months, days int) *stac.Interval {
	last := first.AddDate(years, months, days).Add(-time.Microsecond)
	return &stac.Interval{Start: &first, End: &last}
}

// holds reports whether an item lies below, by its day.
func (p place) holds(c contents) bool { return strings.HasPrefix(c.at.Format(time.DateOnly), p.prefix) }

const (
	mgrs      = "MGRS-" // begins the grid:code of a tile of that grid, and not its folder's name
	elsewhere = "other" // the folder of items on no tile
)

var mgrsTile = regexp.MustCompile(`^\d{2}[A-Z]{3}$`)

// folderOf is the name of the folder of a grid:code.
func folderOf(code string) string {
	if tile := strings.TrimPrefix(code, mgrs); mgrsTile.MatchString(tile) {
		return tile
	}
	return code
}

// onTile finds the items of such a folder.
func onTile(folder string) cql2.Node {
	const code, tile = cql2.Property("grid:code"), cql2.Property("s2:mgrs_tile")
	if folder == elsewhere {
		return cql2.And{cql2.IsNull{Value: code}, cql2.IsNull{Value: tile}}
	}
	if !mgrsTile.MatchString(folder) {
		return cql2.Compare{Op: cql2.Equal, Left: code, Right: cql2.Text(folder)}
	}
	return cql2.Or{cql2.Compare{Op: cql2.Equal, Left: code, Right: cql2.Text(mgrs + folder)}, cql2.Compare{Op: cql2.Equal, Left: tile, Right: cql2.Text(folder)}}
}
