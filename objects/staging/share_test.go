package staging

import (
	"fmt"
	"testing"

	"swath/objects/copies"
)

// asked makes the requests of a user.
func asked(owner, lane string, n int, bytes int64) (all []copies.Asked) {
	for i := range n {
		all = append(all, copies.Asked{Owner: owner, Lane: lane, Copy: copies.Copy{Key: fmt.Sprint(owner, i), Bytes: bytes}})
	}
	return all
}

// TestShare: users take turns by bytes, whoever was served much waits, lanes have their parts, and what has its turn is not passed by.
func TestShare(t *testing.T) {
	by := func(chosen []copies.Copy) map[byte]int {
		n := map[byte]int{}
		for _, c := range chosen {
			n[c.Key[0]]++
		}
		return n
	}
	crowd := append(asked("a", copies.LaneUser, 1000, 100), asked("b", copies.LaneUser, 3, 100)...)
	if n := by(share(crowd, nil, 10, -1)); n['a'] != 7 || n['b'] != 3 {
		t.Errorf("one who asks for much and one for little: %v", n)
	}
	if n := by(share(crowd, map[string]int64{"a": 250}, 4, -1)); n['b'] != 3 || n['a'] != 1 {
		t.Errorf("one who was served before: %v", n)
	}
	large := append(asked("a", copies.LaneUser, 10, 1000), asked("b", copies.LaneUser, 100, 100)...)
	if n := by(share(large, nil, 22, -1)); n['a'] != 2 || n['b'] != 20 {
		t.Errorf("large files and small ones: %v", n)
	}
	lanes := append(append(asked("u", copies.LaneUser, 100, 1), asked("o", copies.LaneOperator, 100, 1)...), asked("i", copies.LaneIngest, 100, 1)...)
	if n := by(share(lanes, map[string]int64{"o": 1 << 40}, 40, -1)); n['u'] != 20 || n['o'] != 10 || n['i'] != 10 {
		t.Errorf("lanes: %v", n)
	}
	if n := by(share(lanes[100:200], nil, 40, -1)); n['o'] != 40 {
		t.Errorf("a lane that is alone: %v", n)
	}
	same := append(asked("a", copies.LaneUser, 1, 5), asked("a", copies.LaneOperator, 1, 5)...)
	if chosen := share(same, nil, 10, -1); len(chosen) != 1 {
		t.Errorf("one file that two lanes ask for is chosen %d times", len(chosen))
	}
	if chosen := share(append(asked("a", copies.LaneUser, 1, 500), asked("b", copies.LaneUser, 5, 10)...), map[string]int64{"b": 1}, 10, 400); len(chosen) != 0 {
		t.Errorf("small files passed by a large one: %v", chosen)
	}
	if chosen := share(asked("a", copies.LaneUser, 10, 100), nil, 10, 350); len(chosen) != 3 {
		t.Errorf("%d files of 100 bytes in 350", len(chosen))
	}
}
