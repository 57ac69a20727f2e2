package cql2

import (
	"strings"

	"swath/fault"
)

// Bounds of one filter. They are far beyond what people write, and small enough that nothing which passes is slow to read.
const (
	maxBytes    = 1 << 20
	maxDepth    = 64
	maxNodes    = 10_000
	maxVertices = 10_000
	maxList     = 5_000 // entries of IN, and of arrays
)

// budget is what is left of the bounds while a filter is read.
type budget struct{ nodes, vertices int }

func newBudget(text int) (*budget, error) {
	if text > maxBytes {
		return nil, fault.New(fault.TooLarge, "a filter may have %d bytes, this has %d", maxBytes, text)
	}
	return &budget{maxNodes, maxVertices}, nil
}

// node takes one node at a depth from the budget.
func (b *budget) node(depth int) error {
	if b.nodes--; b.nodes < 0 {
		return fault.New(fault.TooLarge, "the filter has more than %d parts", maxNodes)
	}
	if depth > maxDepth {
		return fault.New(fault.TooLarge, "the filter is nested more than %d deep", maxDepth)
	}
	return nil
}

func (b *budget) vertex() error {
	if b.vertices--; b.vertices < 0 {
		return fault.New(fault.TooLarge, "the filter's geometries have more than %d positions", maxVertices)
	}
	return nil
}

func checkList(n int) error {
	if n > maxList {
		return fault.New(fault.TooLarge, "a list of %d entries; at most %d are allowed", n, maxList)
	}
	return nil
}

// names by which both forms know functions, in lower case.
var (
	spatialOps = set(Intersects, Equals, Disjoint, Touches, Within, Overlaps, Crosses, Contains)
	temporal   = set(TAfter, TBefore, TContains, TDisjoint, TDuring, TEquals, TFinishedBy, TFinishes, TIntersects, TMeets, TMetBy,
		TOverlappedBy, TOverlaps, TStartedBy, TStarts)
	arrayOps  = set(AContains, AContainedBy, AEquals, AOverlaps)
	functions = set(CaseI, AccentI)
	compares  = set(Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual)
	computes  = set(Add, Subtract, Multiply, Divide, IntDivide, Modulo, Power)
)

func set[T ~string](all ...T) map[string]T {
	m := make(map[string]T, len(all))
	for _, one := range all {
		m[string(one)] = one
	}
	return m
}

// draftNames are names of earlier drafts that clients still send.
var draftNames = map[string]string{"anyinteracts": "t_intersects", "t_finished_by": "t_finishedby", "t_met_by": "t_metby",
	"t_overlapped_by": "t_overlappedby", "t_started_by": "t_startedby", "a_contained_by": "a_containedby", "intersects": "s_intersects", "eq": "="}

// nameOf returns the standard's name of a function.
func nameOf(written string) string {
	name := strings.ToLower(written)
	if standard, ok := draftNames[name]; ok {
		return standard
	}
	return name
}

// propertyOf drops the prefix with which some clients write properties.
func propertyOf(name string) Property { return Property(strings.TrimPrefix(name, "properties.")) }
