// Package chains says what a chain is: a described, pure function over files.
//
//	Inputs (a Go struct) ──▶ Run(ctx, inputs, workspace, progress) ──▶ Outputs (a Go struct)
//	       └── JSON Schema of each field, made from its type and tags, is what clients see and what is validated
//
// A chain is defined by one call and listed in chains/all:
//
//	func Chain() chains.Chain {
//		return chains.Define(chains.About{ID: "snow", Version: "1.0.0", Title: "Snow cover, cloud and nodata", MemoryMiB: 1024}, Run)
//	}
//
//	type Inputs struct {
//		Surface chains.Product `json:"surface" doc:"surface reflectance with green, red and swir16"`
//		DEM     chains.Folder  `json:"dem" doc:"tiles of heights above the geoid, metres"`
//		NDSIMin float64        `json:"ndsi_min" default:"0.4" minimum:"-1" maximum:"1" doc:"unitless"`
//		Mode    string         `json:"mode" default:"fast" enum:"fast,exact" doc:"how"`
//		Tiles   []string       `json:"tiles,omitempty" pattern:"^[0-9]{2}[A-Z]{3}$" doc:"none: all that are covered"`
//	}
//
//	type Outputs struct {
//		Items  []chains.Item `json:"items" doc:"one item a tile"`
//		Report chains.File   `json:"report" media:"application/json" doc:"figures"`
//	}
//
//	func Run(ctx context.Context, in Inputs, ws chains.Workspace, progress chains.Progress) (Outputs, error)
//
// Field types: bool, string, int, int64, float64, time.Time, BBox, Geometry, structs of these; Product, File, Folder, Item (paths of
// files); a slice of any is an input or output of several values, a pointer one that may be missing.
// Tags: doc (a sentence), default (JSON, or the bare text of a string), minimum, maximum, enum (comma list), pattern, format (what
// kind of text), minItems, maxItems, media (of a File). A field with a default, a pointer and ",omitempty" are optional; all others are required.
//
// Files that a chain reads are on the local disk when Run is called: a Product is the path of a product's folder or zip as its agency
// made it (a ".SAFE" or ".zip"), or of a folder with an item.json and its assets beside it when the archive holds only those. What a
// chain writes goes into ws.Out: a File is a path there, an Item is the path of a STAC item's JSON there ("collection", "id",
// "geometry", "properties" and "assets" with hrefs relative to it), one folder per item. Rasters may be any GeoTIFF. Publishing adds the links "derived_from", the inputs
// and the versions; the item's id must follow from the inputs alone. Run depends on its arguments alone: no clock, no environment, no
// network. It checks ctx.Err() and calls progress(done, total) once a block, and returns a fault.Invalid for inputs that make no sense.
package chains

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"

	"swath/fault"
)

// About describes a chain for people and for those who plan where it runs.
type About struct {
	ID          string // lower-case letters, digits, "-" and "_"
	Version     string // changes when the same inputs give other results
	Title       string
	Description string
	Keywords    []string
	Collection  string // that the items go into; a chain that makes items has one
	MemoryMiB   int    // what a run may take; 0 is 2048
	Minutes     int    // what a run may take, wall clock; 0 is 60
}

// withDefaults fills in what a run may take.
func (a About) withDefaults() About {
	a.MemoryMiB, a.Minutes = cmp.Or(a.MemoryMiB, 2048), cmp.Or(a.Minutes, 60)
	return a
}

// Chain is a described function over files. Define makes one.
type Chain struct {
	About
	Inputs, Outputs []Field // in the order of the struct
	run             func(ctx context.Context, inputs map[string]json.RawMessage, ws Workspace, progress Progress) (map[string]json.RawMessage, error)
}

// Workspace is where a run may write. Both folders exist and are empty at the beginning.
type Workspace struct {
	Scratch string // for what nobody needs afterwards; removed at the end
	Out     string // for what the outputs name
	Threads int    // how many threads the run may keep busy, at least 1
	Log     *slog.Logger
}

// Progress tells how much is done. It may be called from several goroutines, and often.
type Progress func(done, total int64)

// Product is the path of a product: see the package.
type Product string

// File is the path of one file.
type File string

// Folder is the path of a folder that the operator provides, such as the tiles of a height model.
type Folder string

// Item is the path of a STAC item's JSON, with the assets that its hrefs name beside it.
type Item string

// BBox is a box in OGC's words. Without a CRS it is in degrees, longitude first.
type BBox struct {
	BBox []float64 `json:"bbox"`
	CRS  string    `json:"crs,omitempty"`
}

// Geometry is a GeoJSON geometry, or a feature or a collection of features around geometries.
type Geometry json.RawMessage

// MarshalJSON returns the geometry as it is.
func (g Geometry) MarshalJSON() ([]byte, error) { return json.RawMessage(g).MarshalJSON() }

// UnmarshalJSON keeps the geometry as it is.
func (g *Geometry) UnmarshalJSON(b []byte) error { return (*json.RawMessage)(g).UnmarshalJSON(b) }

// Define makes a chain of a function. It panics when the types or tags make no description, which any test of the chain finds.
func Define[In, Out any](about About, run func(ctx context.Context, in In, ws Workspace, progress Progress) (Out, error)) Chain {
	c := Chain{About: about.withDefaults(), Inputs: fieldsOf(about.ID, reflect.TypeFor[In]()), Outputs: fieldsOf(about.ID, reflect.TypeFor[Out]())}
	if about.Collection == "" && slices.ContainsFunc(c.Outputs, func(f Field) bool { return f.Kind == AnItem }) {
		panic("chains: " + about.ID + " makes items of no collection")
	}
	c.run = func(ctx context.Context, inputs map[string]json.RawMessage, ws Workspace, progress Progress) (map[string]json.RawMessage, error) {
		var in In
		if err := decode(c.Inputs, inputs, reflect.ValueOf(&in).Elem()); err != nil {
			return nil, err
		}
		out, err := run(ctx, in, ws, progress)
		if err != nil {
			return nil, err
		}
		return encode(c.Outputs, reflect.ValueOf(out))
	}
	return c
}

// Input returns the input of this name.
func (c Chain) Input(name string) (Field, bool) { return named(c.Inputs, name) }

// Output returns the output of this name.
func (c Chain) Output(name string) (Field, bool) { return named(c.Outputs, name) }

func named(fields []Field, name string) (Field, bool) {
	for _, f := range fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// Run runs the chain. Inputs are JSON, files and products of them paths on the local disk, as Outputs are. Inputs that are missing,
// unknown or do not obey their schema are fault.Invalid, naming the input.
func (c Chain) Run(ctx context.Context, inputs map[string]json.RawMessage, ws Workspace, progress Progress) (map[string]json.RawMessage, error) {
	for name := range inputs {
		if _, ok := c.Input(name); !ok {
			return nil, fault.New(fault.Invalid, "input %q: the process %q has none of this name", name, c.ID)
		}
	}
	for _, f := range c.Inputs {
		value, given := inputs[f.Name]
		if !given && f.Required {
			return nil, fault.New(fault.Invalid, "input %q: is required", f.Name)
		} else if !given {
			continue
		}
		if err := f.Validate(value); err != nil {
			return nil, err
		}
	}
	return c.run(ctx, inputs, ws, progress)
}

// decode fills a struct from JSON and the defaults.
func decode(fields []Field, values map[string]json.RawMessage, into reflect.Value) error {
	for _, f := range fields {
		value, given := values[f.Name]
		if !given {
			value = f.Default
		}
		if value == nil {
			continue
		}
		if err := json.Unmarshal(value, into.Field(f.index).Addr().Interface()); err != nil {
			return fault.New(fault.Invalid, "input %q: %v", f.Name, err)
		}
	}
	return nil
}

// encode makes JSON of a struct, without what is missing.
func encode(fields []Field, from reflect.Value) (map[string]json.RawMessage, error) {
	values := map[string]json.RawMessage{}
	for _, f := range fields {
		v := from.Field(f.index)
		if !f.Required && v.IsZero() {
			continue
		}
		body, err := json.Marshal(v.Interface())
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", f.Name, err)
		}
		values[f.Name] = body
	}
	return values, nil
}

// Describe makes a chain of fields that are known only while the program runs, such as those of a package that a user has deployed. Run
// gets inputs that obey their schemas, with the defaults of those that were not given.
func Describe(about About, inputs, outputs []Field, run func(ctx context.Context, inputs map[string]json.RawMessage, ws Workspace, progress Progress) (map[string]json.RawMessage, error)) (Chain, error) {
	c := Chain{About: about.withDefaults(), Inputs: inputs, Outputs: outputs}
	for i := range inputs {
		f := &inputs[i]
		var err error
		if f.compiled, err = compile(f.Whole()); err != nil {
			return Chain{}, fault.New(fault.Invalid, "input %q: %v", f.Name, err)
		}
		if f.Default != nil {
			if err := f.Validate(f.Default); err != nil {
				return Chain{}, fmt.Errorf("default: %w", err)
			}
		}
	}
	c.run = func(ctx context.Context, given map[string]json.RawMessage, ws Workspace, progress Progress) (map[string]json.RawMessage, error) {
		values := map[string]json.RawMessage{}
		for _, f := range inputs {
			if value, ok := given[f.Name]; ok {
				values[f.Name] = value
			} else if f.Default != nil {
				values[f.Name] = f.Default
			}
		}
		return run(ctx, values, ws, progress)
	}
	return c, nil
}
