package staging

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"swath/objects/copies"
)

// laneShare is how much of a batch each lane has while all of them wait: what one does not use, the others get.
var laneShare = map[string]float64{copies.LaneUser: 0.5, copies.LaneOperator: 0.25, copies.LaneIngest: 0.25}

// turn is one user's place in a lane.
type turn struct {
	owner   string
	got     float64 // bytes of the last day, and of this batch
	waiting []copies.Copy
}

// share chooses the copies that are brought next: at most so many, of at most so many bytes together (-1: any). Each turn goes to the lane
// that has least of its share, and in it to the user who got the fewest bytes of late; within a user, to what was asked for first.
// What does not fit keeps its turn: nothing smaller passes by for ever, because then nothing large would ever come.
func share(waiting []copies.Asked, served map[string]int64, most int, free int64) (chosen []copies.Copy) {
	lanes := map[string]map[string]*turn{}
	for _, a := range waiting {
		if lanes[a.Lane] == nil {
			lanes[a.Lane] = map[string]*turn{}
		}
		t := lanes[a.Lane][a.Owner]
		if t == nil {
			t = &turn{owner: a.Owner, got: float64(served[a.Owner])}
			lanes[a.Lane][a.Owner] = t
		}
		t.waiting = append(t.waiting, a.Copy)
	}
	used, taken := map[string]float64{}, map[string]bool{}
	for len(chosen) < most && len(lanes) > 0 {
		lane := slices.MinFunc(slices.Collect(maps.Keys(lanes)), func(a, b string) int {
			return cmp.Or(cmp.Compare(used[a]/laneShare[a], used[b]/laneShare[b]), cmp.Compare(a, b))
		})
		t := slices.MinFunc(slices.Collect(maps.Values(lanes[lane])), func(a, b *turn) int {
			return cmp.Or(cmp.Compare(a.got, b.got), cmp.Compare(a.owner, b.owner))
		})
		c := t.waiting[0]
		if !taken[c.Key] {
			if free >= 0 && c.Bytes > free {
				return chosen
			}
			taken[c.Key] = true
			chosen = append(chosen, c)
			if free >= 0 {
				free -= c.Bytes
			}
			used[lane]++
		}
		t.got += float64(c.Bytes) + 1 // a file costs something, however small
		if t.waiting = t.waiting[1:]; len(t.waiting) == 0 {
			if delete(lanes[lane], t.owner); len(lanes[lane]) == 0 {
				delete(lanes, lane)
			}
		}
	}
	return chosen
}

// days rounds up: archives count in days.
func days(d time.Duration) int {
	return max(1, int((d+24*time.Hour-1)/(24*time.Hour)))
}
