package geoparquet

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/buger/jsonparser"
	"github.com/parquet-go/parquet-go"

	"swath/fault"
)

const (
	rowGroup  = 10_000 // rows of a group
	lookAhead = 2_000  // items that make the schema when there is none
)

// Options describe a table.
type Options struct {
	Schema      *Schema           // nil: the first items make it
	Collections []json.RawMessage // documents that go into the file's metadata
}

// Writer writes items to a file. It is for one goroutine.
type Writer struct {
	out     io.Writer
	options Options
	schema  *Schema
	early   []json.RawMessage // items before there is a schema
	file    *parquet.GenericWriter[any]
	columns []*parquet.ColumnWriter
	cells   [][]parquet.Value // of one row, by column
	rows    int
	rest    rest

	types map[string]bool // of the geometries
	box   []float64       // around them, two dimensions
}

// NewWriter begins a file on w. Close it.
func NewWriter(w io.Writer, options Options) *Writer {
	return &Writer{out: w, options: options, schema: options.Schema, types: map[string]bool{}}
}

// Write adds an item. The item must be a JSON object; what of it fits no column goes to the column of the rest.
func (w *Writer) Write(item json.RawMessage) error {
	if w.file == nil && w.schema == nil {
		w.early = append(w.early, slices.Clone(item))
		if len(w.early) < lookAhead {
			return nil
		}
	}
	if err := w.begin(); err != nil {
		return err
	}
	if w.early != nil {
		return w.flushEarly()
	}
	return w.row(item)
}

// begin makes the columns.
func (w *Writer) begin() error {
	if w.file != nil {
		return nil
	}
	if w.schema == nil {
		w.schema = NewSchema()
		for _, item := range w.early {
			if err := w.schema.Add(item); err != nil {
				return fault.Wrap(fault.Invalid, err, "an item is not JSON: %v", err)
			}
		}
	}
	w.schema.settle(true)
	w.file = parquet.NewGenericWriter[any](w.out, parquet.NewSchema("item", w.schema.root.table()), parquet.Compression(&parquet.Zstd))
	w.columns = w.file.ColumnWriters()
	w.cells = make([][]parquet.Value, len(w.columns))
	if len(w.columns) != w.schema.root.leaves {
		return fmt.Errorf("geoparquet: %d columns for %d leaves", len(w.columns), w.schema.root.leaves)
	}
	return nil
}

func (w *Writer) flushEarly() error {
	early := w.early
	w.early = nil
	for _, item := range early {
		if err := w.row(item); err != nil {
			return err
		}
	}
	return nil
}

// row cuts an item into its columns.
func (w *Writer) row(item json.RawMessage) error {
	for i := range w.cells {
		w.cells[i] = w.cells[i][:0]
	}
	w.rest = nil
	root, found := w.schema.root, map[string]cell{}
	err := jsonparser.ObjectEach(item, func(key, value []byte, kind jsonparser.ValueType, _ int) error {
		switch name := string(key); {
		case name == "properties" && kind == jsonparser.Object:
			return jsonparser.ObjectEach(value, func(key, value []byte, kind jsonparser.ValueType, _ int) error {
				if name := string(key); isProperty(name) {
					w.take(found, cell{value, kind}, "properties", name)
				} else {
					w.rest.set([]string{"properties", name}, cell{value, kind}.raw())
				}
				return nil
			})
		case slices.Contains(members, name):
			w.take(found, cell{value, kind}, name)
		default:
			w.rest.set([]string{name}, cell{value, kind}.raw())
		}
		return nil
	})
	if err != nil {
		return fault.Wrap(fault.Invalid, err, "an item is not JSON: %v", err)
	}
	for _, name := range root.names {
		path := []string{name}
		if !slices.Contains(members, name) {
			path = []string{"properties", name}
		}
		switch name {
		case "bbox":
			w.bbox(found[name])
		case restColumn: // the last to be known
		default:
			w.write(root.fields[name], found[name], levels{}, path)
		}
	}
	last := cell{kind: jsonparser.Null}
	if w.rest != nil {
		last = cell{w.rest.json(), jsonparser.Object}
	}
	w.write(root.fields[restColumn], last, levels{}, nil)
	for i, column := range w.columns {
		if _, err := column.WriteRowValues(w.cells[i]); err != nil {
			return fmt.Errorf("geoparquet: %w", err)
		}
	}
	if w.rows++; w.rows%rowGroup == 0 {
		return w.flush()
	}
	return nil
}

// take notes the value of a column, or that there is none for it.
func (w *Writer) take(found map[string]cell, c cell, path ...string) {
	name := path[len(path)-1]
	if name != "bbox" && !w.schema.root.has(name) {
		if c.kind != jsonparser.Null {
			w.rest.set(path, c.raw())
		}
		return
	}
	found[name] = c
}

func (w *Writer) flush() error {
	if err := w.file.Flush(); err != nil {
		return fmt.Errorf("geoparquet: %w", err)
	}
	return nil
}

// bbox writes the struct of a bbox.
func (w *Writer) bbox(c cell) {
	n := w.schema.root.fields["bbox"]
	if c.kind == jsonparser.NotExist || c.kind == jsonparser.Null {
		w.null(n, levels{})
		return
	}
	box, high, ok := readBBox(c.text)
	if !ok || high && !w.schema.three {
		w.null(n, levels{})
		w.rest.set([]string{"bbox"}, c.raw())
		return
	}
	half := len(box) / 2
	sides := map[string]float64{"xmin": box[0], "ymin": box[1], "xmax": box[half], "ymax": box[half+1]}
	if high {
		sides["zmin"], sides["zmax"] = box[2], box[5]
	}
	for _, name := range n.names {
		if v, ok := sides[name]; ok {
			w.leaf(n.fields[name], parquet.DoubleValue(v), levels{definition: 2})
		} else {
			w.null(n.fields[name], levels{definition: 1})
		}
	}
	if w.box == nil {
		w.box = []float64{box[0], box[1], box[half], box[half+1]}
	}
	w.box = []float64{min(w.box[0], box[0]), min(w.box[1], box[1]), max(w.box[2], box[half]), max(w.box[3], box[half+1])}
}

// Close writes what is left, and the metadata.
func (w *Writer) Close() error {
	err := w.begin()
	if err == nil {
		err = w.flushEarly()
	}
	if err != nil {
		return err
	}
	geo, err := w.geo()
	if err != nil {
		return err
	}
	collections := map[string]json.RawMessage{}
	for _, c := range w.options.Collections {
		id, err := jsonparser.GetString(c, "id")
		if err != nil {
			return fault.New(fault.Invalid, "a collection has no id")
		}
		collections[id] = c
	}
	about := map[string]any{"version": "1.0.0"}
	if len(collections) > 0 {
		about["collections"] = collections
	}
	stac, err := json.Marshal(about)
	if err != nil {
		return fmt.Errorf("geoparquet: %w", err)
	}
	w.file.SetKeyValueMetadata("geo", string(geo))
	w.file.SetKeyValueMetadata("stac-geoparquet", string(stac))
	if err := w.file.Close(); err != nil {
		return fmt.Errorf("geoparquet: %w", err)
	}
	return nil
}

// geo returns the metadata of GeoParquet 1.1. The coordinate system is its default, longitude and latitude in WGS 84.
func (w *Writer) geo() ([]byte, error) {
	column := map[string]any{
		"encoding": "WKB", "geometry_types": slices.Sorted(maps.Keys(w.types)), "edges": "planar",
		"covering": map[string]any{"bbox": map[string][]string{
			"xmin": {"bbox", "xmin"}, "ymin": {"bbox", "ymin"}, "xmax": {"bbox", "xmax"}, "ymax": {"bbox", "ymax"},
		}},
	}
	if len(w.types) == 0 {
		column["geometry_types"] = []string{}
	}
	if w.box != nil {
		column["bbox"] = w.box
	}
	columns := map[string]any{"geometry": column}
	if n := w.schema.root.fields["proj:geometry"]; n != nil && n.kind == geometry {
		columns["proj:geometry"] = map[string]any{"encoding": "WKB", "geometry_types": []string{}, "crs": nil}
	}
	return json.Marshal(map[string]any{"version": "1.1.0", "primary_column": "geometry", "columns": columns})
}
