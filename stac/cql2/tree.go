package cql2

import (
	"encoding/json"
	"time"
)

// Node is a part of a filter: a predicate, which is true, false or unknown, or an expression, which has a value.
type Node interface{ isNode() }

// Predicates.
type (
	// And is true when all of its two or more arguments are.
	And []Node
	// Or is true when one of its two or more arguments is.
	Or []Node
	// Not is true when its argument is false.
	Not struct{ Arg Node }
	// Compare compares two scalar expressions.
	Compare struct {
		Op          CompareOp
		Left, Right Node
	}
	// Like matches text with a pattern: % is any text, _ any one character, \ makes the next one stand for itself. Pattern is
	// a Text, or a Call around one.
	Like struct{ Value, Pattern Node }
	// Between is true from Low to High, both included.
	Between struct{ Value, Low, High Node }
	// In is true when Value equals one of List.
	In struct {
		Value Node
		List  []Node
	}
	// IsNull is true when Value is missing or null.
	IsNull struct{ Value Node }
	// Spatial relates two geometries: a Property, a Geometry or a BBox each.
	Spatial struct {
		Op          SpatialOp
		Left, Right Node
	}
	// Temporal relates two instants or intervals: a Property, a Timestamp, a Date or an Interval each.
	Temporal struct {
		Op          TemporalOp
		Left, Right Node
	}
	// ArrayOp relates two arrays: a Property or an Array each.
	ArrayOp struct {
		Op          ArrayRelation
		Left, Right Node
	}
)

// Expressions.
type (
	// Property is a queryable by its name: id, collection, geometry, or a property without the prefix "properties.". Members
	// of objects are reached with dots.
	Property string
	// Text, Number and Bool are literals.
	Text   string
	Number float64
	Bool   bool
	// Timestamp is an instant in UTC, Date a whole day of it (midnight).
	Timestamp struct{ time.Time }
	Date      struct{ time.Time }
	// Interval is a time interval; its ends are a Timestamp, a Date, a Property, or nil where it is open.
	Interval struct{ Start, End Node }
	// Geometry is a GeoJSON geometry that was checked, with nothing but its type and coordinates.
	Geometry json.RawMessage
	// BBox is west, south, east, north in degrees; west > east crosses the antimeridian. Heights are dropped.
	BBox [4]float64
	// Array is a list of scalars.
	Array []Node
	// Arithmetic computes with two numbers.
	Arithmetic struct {
		Op          ArithmeticOp
		Left, Right Node
	}
	// Call is one of the functions casei and accenti: its argument with case, or accents, taken away.
	Call struct {
		Function Function
		Arg      Node
	}
)

// CompareOp is one of the six comparisons.
type CompareOp string

// The comparisons, as both forms write them.
const (
	Equal          CompareOp = "="
	NotEqual       CompareOp = "<>"
	Less           CompareOp = "<"
	LessOrEqual    CompareOp = "<="
	Greater        CompareOp = ">"
	GreaterOrEqual CompareOp = ">="
)

// SpatialOp is one of CQL2's spatial functions.
type SpatialOp string

// The spatial functions, by the names of both forms.
const (
	Intersects SpatialOp = "s_intersects"
	Equals     SpatialOp = "s_equals"
	Disjoint   SpatialOp = "s_disjoint"
	Touches    SpatialOp = "s_touches"
	Within     SpatialOp = "s_within"
	Overlaps   SpatialOp = "s_overlaps"
	Crosses    SpatialOp = "s_crosses"
	Contains   SpatialOp = "s_contains"
)

// TemporalOp is one of CQL2's temporal functions.
type TemporalOp string

// The temporal functions, by the names of both forms. An instant is an interval that begins and ends at once.
const (
	TAfter        TemporalOp = "t_after"
	TBefore       TemporalOp = "t_before"
	TContains     TemporalOp = "t_contains"
	TDisjoint     TemporalOp = "t_disjoint"
	TDuring       TemporalOp = "t_during"
	TEquals       TemporalOp = "t_equals"
	TFinishedBy   TemporalOp = "t_finishedby"
	TFinishes     TemporalOp = "t_finishes"
	TIntersects   TemporalOp = "t_intersects"
	TMeets        TemporalOp = "t_meets"
	TMetBy        TemporalOp = "t_metby"
	TOverlappedBy TemporalOp = "t_overlappedby"
	TOverlaps     TemporalOp = "t_overlaps"
	TStartedBy    TemporalOp = "t_startedby"
	TStarts       TemporalOp = "t_starts"
)

// ArrayRelation is one of CQL2's array functions.
type ArrayRelation string

// The array functions, by the names of both forms. Arrays are compared as sets.
const (
	AContains    ArrayRelation = "a_contains"
	AContainedBy ArrayRelation = "a_containedby"
	AEquals      ArrayRelation = "a_equals"
	AOverlaps    ArrayRelation = "a_overlaps"
)

// ArithmeticOp is an arithmetic operator.
type ArithmeticOp string

// The arithmetic operators, as both forms write them.
const (
	Add       ArithmeticOp = "+"
	Subtract  ArithmeticOp = "-"
	Multiply  ArithmeticOp = "*"
	Divide    ArithmeticOp = "/"
	IntDivide ArithmeticOp = "div"
	Modulo    ArithmeticOp = "%"
	Power     ArithmeticOp = "^"
)

// Function is a function of text.
type Function string

// The functions, by the names of both forms.
const (
	CaseI   Function = "casei"
	AccentI Function = "accenti"
)

func (And) isNode()        {}
func (Or) isNode()         {}
func (Not) isNode()        {}
func (Compare) isNode()    {}
func (Like) isNode()       {}
func (Between) isNode()    {}
func (In) isNode()         {}
func (IsNull) isNode()     {}
func (Spatial) isNode()    {}
func (Temporal) isNode()   {}
func (ArrayOp) isNode()    {}
func (Property) isNode()   {}
func (Text) isNode()       {}
func (Number) isNode()     {}
func (Bool) isNode()       {}
func (Timestamp) isNode()  {}
func (Date) isNode()       {}
func (Interval) isNode()   {}
func (Geometry) isNode()   {}
func (BBox) isNode()       {}
func (Array) isNode()      {}
func (Arithmetic) isNode() {}
func (Call) isNode()       {}
