// Package echo is the chain that returns its inputs: one of every type there is, for clients and their tests.
//
//	inputs ──▶ wait (pause_s, in steps of a tenth) ──▶ the same values; files copied; an item at the box's place when one is asked for
package echo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"swath/chains"
	"swath/fault"
)

// Measure is a number with its unit.
type Measure struct {
	Measurement float64 `json:"measurement" doc:"the number"`
	UOM         string  `json:"uom" doc:"unit of measure"`
	Reference   string  `json:"reference,omitempty" doc:"where the unit is defined"`
}

// Complex is an object of several fields.
type Complex struct {
	Property1 string   `json:"property1" doc:"a text"`
	Property2 string   `json:"property2,omitempty" doc:"another text"`
	Property3 *float64 `json:"property3,omitempty" doc:"a number"`
	Property5 bool     `json:"property5,omitempty" doc:"a switch"`
}

// Inputs are one of every type; none has to be given.
type Inputs struct {
	String      string           `json:"stringInput,omitempty" doc:"a text"`
	Choice      string           `json:"choiceInput,omitempty" enum:"Value1,Value2,Value3" doc:"one of three texts"`
	Measure     *Measure         `json:"measureInput,omitempty" doc:"a number with its unit"`
	Date        *time.Time       `json:"dateInput,omitempty" doc:"a time"`
	Double      *float64         `json:"doubleInput,omitempty" minimum:"0" maximum:"10" doc:"a number of 0 to 10"`
	Integer     *int64           `json:"integerInput,omitempty" doc:"a whole number"`
	Boolean     *bool            `json:"booleanInput,omitempty" doc:"a switch"`
	Array       []int64          `json:"arrayInput,omitempty" minItems:"2" maxItems:"10" doc:"whole numbers"`
	Complex     *Complex         `json:"complexObjectInput,omitempty" doc:"an object"`
	Geometry    *chains.Geometry `json:"geometryInput,omitempty" doc:"a geometry, feature or collection of features"`
	BoundingBox *chains.BBox     `json:"boundingBoxInput,omitempty" doc:"a box"`
	Image       chains.File      `json:"imageInput,omitempty" media:"image/png" doc:"a file, by value or by reference"`
	Product     chains.Product   `json:"productInput,omitempty" doc:"a product of the archive"`
	Publish     string           `json:"publish,omitempty" pattern:"^[a-z0-9-]{1,64}$" format:"item-id" doc:"id of an item that is made and published at the box's place, in the collection echo"`
	PauseS      float64          `json:"pause_s" default:"0" minimum:"0" maximum:"3600" doc:"how long the work lasts, seconds"`
	Pause       int64            `json:"pause" default:"0" minimum:"0" maximum:"3600" doc:"as pause_s, in whole seconds: OGC's test suite knows it by this name"`
	Fail        string           `json:"fail,omitempty" format:"reason" doc:"a reason to fail with, at the end"`
}

// Outputs are the inputs that were given.
type Outputs struct {
	String      string           `json:"stringOutput,omitempty" doc:"the text"`
	Choice      string           `json:"choiceOutput,omitempty" doc:"the choice"`
	Measure     *Measure         `json:"measureOutput,omitempty" doc:"the measure"`
	Date        *time.Time       `json:"dateOutput,omitempty" doc:"the time"`
	Double      *float64         `json:"doubleOutput,omitempty" doc:"the number"`
	Integer     *int64           `json:"integerOutput,omitempty" doc:"the whole number"`
	Boolean     *bool            `json:"booleanOutput,omitempty" doc:"the switch"`
	Array       []int64          `json:"arrayOutput,omitempty" doc:"the whole numbers"`
	Complex     *Complex         `json:"complexObjectOutput,omitempty" doc:"the object"`
	Geometry    *chains.Geometry `json:"geometryOutput,omitempty" doc:"the geometry"`
	BoundingBox *chains.BBox     `json:"boundingBoxOutput,omitempty" doc:"the box"`
	Image       chains.File      `json:"imageOutput,omitempty" media:"image/png" doc:"a copy of the file"`
	Product     string           `json:"productOutput,omitempty" doc:"the product's name"`
	Item        chains.Item      `json:"item,omitempty" doc:"the item that was made"`
}

// Chain is the process "echo".
func Chain() chains.Chain {
	return chains.Define(chains.About{
		ID: "echo", Version: "1.0.0", Title: "Echo", Keywords: []string{"test"}, Collection: "echo", MemoryMiB: 256, Minutes: 90,
		Description: "Returns its inputs after a while: one of every type there is, for clients and their tests.",
	}, Run)
}

// step is how often progress is told.
const step = 100 * time.Millisecond

// Run waits and returns what came in.
func Run(ctx context.Context, in Inputs, ws chains.Workspace, progress chains.Progress) (Outputs, error) {
	pauseS := in.PauseS + float64(in.Pause)
	ws.Log.Info("echo begins", "pause_s", pauseS)
	steps := int64(time.Duration(pauseS*float64(time.Second))/step) + 1
	for done := int64(0); done < steps; done++ {
		progress(done, steps)
		if done == steps-1 {
			break
		}
		select {
		case <-ctx.Done():
			return Outputs{}, ctx.Err()
		case <-time.After(step):
		}
	}
	if in.Fail != "" {
		return Outputs{}, fault.New(fault.Invalid, "%s", in.Fail)
	}
	out := Outputs{String: in.String, Choice: in.Choice, Measure: in.Measure, Date: in.Date, Double: in.Double, Integer: in.Integer,
		Boolean: in.Boolean, Array: in.Array, Complex: in.Complex, Geometry: in.Geometry, BoundingBox: in.BoundingBox}
	if in.Product != "" {
		out.Product = filepath.Base(string(in.Product))
	}
	var err error
	if in.Image != "" {
		if out.Image, err = copied(string(in.Image), filepath.Join(ws.Out, "image"+filepath.Ext(string(in.Image)))); err != nil {
			return Outputs{}, err
		}
	}
	if in.Publish != "" {
		if out.Item, err = made(in, ws); err != nil {
			return Outputs{}, err
		}
	}
	progress(steps, steps)
	return out, nil
}

// copied copies a file.
func copied(from, to string) (_ chains.File, err error) {
	r, err := os.Open(from)
	if err != nil {
		return "", fault.Wrap(fault.Invalid, err, "imageInput: can't be read")
	}
	defer r.Close()
	w, err := os.Create(to)
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(w, r); err != nil {
		w.Close()
		return "", err
	}
	return chains.File(to), w.Close()
}

// made writes an item at the box's place, with one file.
func made(in Inputs, ws chains.Workspace) (chains.Item, error) {
	west, south, east, north := -180.0, -90.0, 180.0, 90.0
	if in.BoundingBox != nil && len(in.BoundingBox.BBox) == 4 {
		b := in.BoundingBox.BBox
		west, south, east, north = b[0], b[1], b[2], b[3]
	}
	at := time.Unix(0, 0).UTC()
	if in.Date != nil {
		at = in.Date.UTC()
	}
	dir := filepath.Join(ws.Out, in.Publish)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "text.txt"), []byte(in.String+"\n"), 0o644); err != nil { //nolint:gosec // the size of a text
		return "", err
	}
	item, err := json.MarshalIndent(map[string]any{
		"type": "Feature", "stac_version": "1.1.0", "id": in.Publish, "collection": "echo",
		"bbox": []float64{west, south, east, north},
		"geometry": map[string]any{"type": "Polygon", "coordinates": [][][2]float64{{
			{west, south}, {east, south}, {east, north}, {west, north}, {west, south}}}},
		"properties": map[string]any{"datetime": at.Format(time.RFC3339Nano)},
		"links":      []any{},
		"assets":     map[string]any{"text": map[string]any{"href": "text.txt", "type": "text/plain", "roles": []string{"data"}}},
	}, "", "  ")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, in.Publish+".json")
	if err := os.WriteFile(path, item, 0o644); err != nil { //nolint:gosec // small
		return "", fmt.Errorf("echo: %w", err)
	}
	return chains.Item(path), nil
}
