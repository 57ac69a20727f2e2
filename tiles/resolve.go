package tiles

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"swath/fault"
)

// ref names one band of one asset.
type ref struct {
	asset *Asset
	band  *Band
}

// find resolves a name of an expression. In this order: the key of a one-band asset; "asset_bN", band N of an asset; the
// name of a band; the same three without regard to case; "bN", the N-th band of the listed assets.
func (d *Description) find(name string, listed []ref) (ref, error) {
	for _, equal := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		if found, err := d.match(name, equal); err != nil || len(found) == 1 {
			return first(found), err
		} else if len(found) > 1 {
			return ref{}, fault.New(fault.Invalid, "%.60q is ambiguous: it may be %s", name, some(names(found)))
		}
	}
	if n, ok := bandNumber(name, "b"); ok && n <= len(listed) {
		return listed[n-1], nil
	}
	return ref{}, d.unknown(name)
}

// match returns the bands that a name means under one notion of equality.
func (d *Description) match(name string, equal func(a, b string) bool) ([]ref, error) {
	var found []ref
	for i := range d.Assets {
		a := &d.Assets[i]
		if !equal(a.Key, name) {
			continue
		}
		if refs, _ := d.list(a.Key); len(refs) == 1 {
			found = append(found, refs[0])
			continue
		} else if len(a.Bands) != 1 {
			return nil, fault.New(fault.Invalid, "asset %q has %d bands: name one of them as %s_b1 to %s_b%d", a.Key, len(a.Bands), a.Key, a.Key, len(a.Bands))
		}
		found = append(found, ref{a, &a.Bands[0]})
	}
	if len(found) > 0 {
		return found, nil
	}
	for i := range d.Assets {
		a := &d.Assets[i]
		if cut := len(a.Key) + len("_b"); len(name) > cut && equal(a.Key+"_b", name[:cut]) {
			if n, ok := bandNumber(name[cut:], ""); ok && n <= len(a.Bands) {
				found = append(found, ref{a, &a.Bands[n-1]})
			}
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	for i := range d.Assets {
		for j := range d.Assets[i].Bands {
			if equal(d.Assets[i].Bands[j].Name, name) {
				found = append(found, ref{&d.Assets[i], &d.Assets[i].Bands[j]})
			}
		}
	}
	return found, nil
}

// list resolves an entry of assets: all bands of an asset but its opacity, or one band by any name that find knows.
func (d *Description) list(entry string) ([]ref, error) {
	for i := range d.Assets {
		if a := &d.Assets[i]; a.Key == entry {
			refs := make([]ref, 0, len(a.Bands))
			for j := range a.Bands {
				if a.Bands[j].Number != a.alpha || len(a.Bands) == 1 { // opacity hides pixels; who wants it as values names the band, unless there is no other
					refs = append(refs, ref{a, &a.Bands[j]})
				}
			}
			return refs, nil
		}
	}
	one, err := d.find(entry, nil)
	return []ref{one}, err
}

func (d *Description) unknown(name string) error {
	if len(d.Assets) == 0 {
		return fault.New(fault.Invalid, "item %q has no asset that can be drawn", d.ID)
	}
	return fault.New(fault.Invalid, "item %q has no drawable asset or band %.60q; it has %s", d.ID, name, some(d.keys()))
}

func (d *Description) keys() []string {
	keys := make([]string, len(d.Assets))
	for i, a := range d.Assets {
		keys[i] = a.Key
	}
	return keys
}

// has reports whether every entry names something that the item has.
func (d *Description) has(entries []string) bool {
	return !slices.ContainsFunc(entries, func(entry string) bool { _, err := d.list(entry); return err != nil })
}

// bandNumber reads a whole number from 1 after a prefix.
func bandNumber(s, prefix string) (int, bool) {
	digits, ok := strings.CutPrefix(s, prefix)
	n, err := strconv.ParseUint(digits, 10, 16)
	return int(n), ok && err == nil && n > 0
}

func first(refs []ref) ref {
	if len(refs) == 0 {
		return ref{}
	}
	return refs[0]
}

// names returns the bands in the form that is never ambiguous.
func names(refs []ref) []string {
	out := make([]string, len(refs))
	for i, r := range refs {
		out[i] = r.name()
	}
	return out
}

func (r ref) name() string {
	if len(r.asset.Bands) == 1 {
		return r.asset.Key
	}
	return fmt.Sprintf("%s_b%d", r.asset.Key, r.band.Number)
}

// some writes a list that may be long.
func some(list []string) string {
	const most = 40
	if len(list) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
	}
	return strings.Join(list, ", ")
}
