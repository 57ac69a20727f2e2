package cql2

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

const timeLayout = "2006-01-02T15:04:05.999999Z"

// String writes the text form of a tree, with parentheses wherever they could matter. ParseText reads it back as it was.
func String(n Node) string {
	var b strings.Builder
	writeText(&b, n)
	return b.String()
}

func writeText(b *strings.Builder, n Node) {
	list := func(parts []Node, between string) {
		for i, p := range parts {
			if i > 0 {
				b.WriteString(between)
			}
			writeText(b, p)
		}
	}
	infix := func(left Node, op string, right Node) {
		b.WriteByte('(')
		writeText(b, left)
		b.WriteString(" " + op + " ")
		writeText(b, right)
		b.WriteByte(')')
	}
	call := func(name string, args ...Node) {
		b.WriteString(strings.ToUpper(name) + "(")
		list(args, ", ")
		b.WriteByte(')')
	}
	quote := func(s string) { b.WriteString("'" + strings.ReplaceAll(s, "'", "''") + "'") }
	switch n := n.(type) {
	case And:
		b.WriteByte('(')
		list(n, " AND ")
		b.WriteByte(')')
	case Or:
		b.WriteByte('(')
		list(n, " OR ")
		b.WriteByte(')')
	case Not:
		b.WriteString("(NOT ")
		writeText(b, n.Arg)
		b.WriteByte(')')
	case Compare:
		infix(n.Left, string(n.Op), n.Right)
	case Like:
		infix(n.Value, "LIKE", n.Pattern)
	case Between:
		b.WriteByte('(')
		writeText(b, n.Value)
		b.WriteString(" BETWEEN ")
		list([]Node{n.Low, n.High}, " AND ")
		b.WriteByte(')')
	case In:
		b.WriteByte('(')
		writeText(b, n.Value)
		b.WriteString(" IN (")
		list(n.List, ", ")
		b.WriteString("))")
	case IsNull:
		b.WriteByte('(')
		writeText(b, n.Value)
		b.WriteString(" IS NULL)")
	case Spatial:
		call(string(n.Op), n.Left, n.Right)
	case Temporal:
		call(string(n.Op), n.Left, n.Right)
	case ArrayOp:
		call(string(n.Op), n.Left, n.Right)
	case Property:
		b.WriteString(`"` + strings.ReplaceAll(string(n), `"`, `""`) + `"`)
	case Text:
		quote(string(n))
	case Number:
		b.WriteString(strconv.FormatFloat(float64(n), 'g', -1, 64))
	case Bool:
		b.WriteString(strings.ToUpper(strconv.FormatBool(bool(n))))
	case Timestamp:
		call("timestamp", Text(n.Format(timeLayout)))
	case Date:
		call("date", Text(n.Format(time.DateOnly)))
	case Interval:
		b.WriteString("INTERVAL(")
		for i, end := range []Node{n.Start, n.End} {
			if i > 0 {
				b.WriteString(", ")
			}
			if end == nil {
				b.WriteString("'..'")
			} else {
				writeText(b, end)
			}
		}
		b.WriteByte(')')
	case Geometry:
		var s shape
		_ = json.Unmarshal(n, &s) // it was written by shape.node
		writeWKT(b, s)
	case BBox:
		call("bbox", Number(n[0]), Number(n[1]), Number(n[2]), Number(n[3]))
	case Array:
		b.WriteByte('(')
		list(n, ", ")
		b.WriteByte(')')
	case Arithmetic:
		infix(n.Left, string(n.Op), n.Right)
	case Call:
		call(string(n.Function), n.Arg)
	}
}

func writeWKT(b *strings.Builder, s shape) {
	b.WriteString(strings.ToUpper(s.Type))
	if s.Type == "GeometryCollection" {
		for i, part := range s.Geometries {
			b.WriteString(map[bool]string{true: "(", false: ", "}[i == 0])
			writeWKT(b, part)
		}
		b.WriteByte(')')
		return
	}
	if s.Type == "Point" {
		b.WriteByte('(')
		writePosition(b, s.Coordinates)
		b.WriteByte(')')
		return
	}
	writeParts(b, s.Coordinates, depthOf[s.Type])
}

func writeParts(b *strings.Builder, coordinates any, depth int) {
	b.WriteByte('(')
	for i, part := range coordinates.([]any) {
		if i > 0 {
			b.WriteString(", ")
		}
		if depth == 1 {
			writePosition(b, part)
		} else {
			writeParts(b, part, depth-1)
		}
	}
	b.WriteByte(')')
}

func writePosition(b *strings.Builder, position any) {
	p := position.([]any)
	b.WriteString(strconv.FormatFloat(p[0].(float64), 'g', -1, 64) + " " + strconv.FormatFloat(p[1].(float64), 'g', -1, 64))
}

// JSON writes the JSON form of a tree. ParseJSON reads it back as it was.
func JSON(n Node) json.RawMessage {
	text, _ := json.Marshal(jsonOf(n)) // numbers are finite and texts valid
	return text
}

func jsonOf(n Node) any {
	op := func(name string, args ...Node) any {
		return map[string]any{"op": name, "args": jsonList(args)}
	}
	switch n := n.(type) {
	case And:
		return op("and", n...)
	case Or:
		return op("or", n...)
	case Not:
		return op("not", n.Arg)
	case Compare:
		return op(string(n.Op), n.Left, n.Right)
	case Like:
		return op("like", n.Value, n.Pattern)
	case Between:
		return op("between", n.Value, n.Low, n.High)
	case In:
		return map[string]any{"op": "in", "args": []any{jsonOf(n.Value), jsonList(n.List)}}
	case IsNull:
		return op("isNull", n.Value)
	case Spatial:
		return op(string(n.Op), n.Left, n.Right)
	case Temporal:
		return op(string(n.Op), n.Left, n.Right)
	case ArrayOp:
		return op(string(n.Op), n.Left, n.Right)
	case Property:
		return map[string]string{"property": string(n)}
	case Text:
		return string(n)
	case Number:
		return float64(n)
	case Bool:
		return bool(n)
	case Timestamp:
		return map[string]string{"timestamp": n.Format(timeLayout)}
	case Date:
		return map[string]string{"date": n.Format(time.DateOnly)}
	case Interval:
		ends := [2]any{"..", ".."}
		for i, end := range []Node{n.Start, n.End} {
			switch end := end.(type) {
			case Timestamp:
				ends[i] = end.Format(timeLayout)
			case Date:
				ends[i] = end.Format(time.DateOnly)
			case Property:
				ends[i] = jsonOf(end)
			}
		}
		return map[string]any{"interval": ends}
	case Geometry:
		return json.RawMessage(n)
	case BBox:
		return map[string]any{"bbox": n}
	case Array:
		return jsonList(n)
	case Arithmetic:
		return op(string(n.Op), n.Left, n.Right)
	case Call:
		return op(string(n.Function), n.Arg)
	}
	return nil
}

func jsonList(list []Node) []any {
	out := make([]any, len(list))
	for i, n := range list {
		out[i] = jsonOf(n)
	}
	return out
}

// Walk calls visit for a node and for all that is below it, outside in.
func Walk(n Node, visit func(Node)) {
	if n == nil {
		return
	}
	visit(n)
	all := func(nodes ...Node) {
		for _, one := range nodes {
			Walk(one, visit)
		}
	}
	switch n := n.(type) {
	case And:
		all(n...)
	case Or:
		all(n...)
	case Not:
		all(n.Arg)
	case Compare:
		all(n.Left, n.Right)
	case Like:
		all(n.Value, n.Pattern)
	case Between:
		all(n.Value, n.Low, n.High)
	case In:
		all(n.Value)
		all(n.List...)
	case IsNull:
		all(n.Value)
	case Spatial:
		all(n.Left, n.Right)
	case Temporal:
		all(n.Left, n.Right)
	case ArrayOp:
		all(n.Left, n.Right)
	case Interval:
		all(n.Start, n.End)
	case Array:
		all(n...)
	case Arithmetic:
		all(n.Left, n.Right)
	case Call:
		all(n.Arg)
	}
}

// Properties returns the names of the properties that a filter uses, each once, in their order.
func Properties(n Node) []string {
	var names []string
	seen := map[Property]bool{}
	Walk(n, func(n Node) {
		if p, ok := n.(Property); ok && !seen[p] {
			seen[p] = true
			names = append(names, string(p))
		}
	})
	return names
}
