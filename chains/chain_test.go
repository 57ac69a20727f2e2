package chains_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"swath/chains"
	"swath/chains/all"
	"swath/chains/echo"
	"swath/fault"
)

func run(t *testing.T, inputs map[string]string) (map[string]json.RawMessage, error) {
	t.Helper()
	raw := map[string]json.RawMessage{}
	for name, value := range inputs {
		raw[name] = json.RawMessage(value)
	}
	ws := chains.Workspace{Scratch: t.TempDir(), Out: t.TempDir(), Threads: 1, Log: slog.New(slog.DiscardHandler)}
	return echo.Chain().Run(t.Context(), raw, ws, func(int64, int64) {})
}

func TestEchoReturnsEveryType(t *testing.T) {
	picture := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(picture, []byte("not a picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	values := map[string]string{
		"string": `"a"`, "choice": `"Value2"`, "measure": `{"measurement":2.5,"uom":"m"}`, "date": `"2024-06-12T10:56:19Z"`, "double": `2.5`,
		"integer": `-3`, "boolean": `false`, "array": `[1,2,3]`, "complexObject": `{"property1":"x","property3":1}`,
		"geometry": `{"type":"Point","coordinates":[1,2]}`, "boundingBox": `{"bbox":[1,2,3,4]}`,
	}
	inputs := map[string]string{"imageInput": `"` + picture + `"`, "publish": `"made"`, "productInput": `"/x/S2A.SAFE"`}
	for name, value := range values {
		inputs[name+"Input"] = value
	}
	got, err := run(t, inputs)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range values {
		if string(got[name+"Output"]) != want {
			t.Errorf("%s = %s, want %s", name, got[name+"Output"], want)
		}
	}
	if string(got["productOutput"]) != `"S2A.SAFE"` {
		t.Errorf("product %s", got["productOutput"])
	}
	for _, output := range []string{"imageOutput", "item"} {
		var path string
		if err := json.Unmarshal(got[output], &path); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Errorf("%s: %v", output, err)
		}
	}
	if got, err := run(t, nil); err != nil || len(got) != 0 {
		t.Errorf("of nothing came %s, %v", got, err)
	}
}

func TestInputsAreHeldAgainstTheirSchemas(t *testing.T) {
	for name, tc := range map[string]struct{ input, value, says string }{
		"another type":       {"stringInput", `1`, `input "stringInput": got number, want string`},
		"none of three":      {"choiceInput", `"Value9"`, `one of Value1, Value2, Value3`},
		"too large":          {"doubleInput", `10.5`, `"doubleInput"`},
		"not whole":          {"integerInput", `1.5`, `"integerInput"`},
		"not a time":         {"dateInput", `"yesterday"`, `date-time`},
		"too short":          {"arrayInput", `[1]`, `minItems`},
		"deep inside":        {"arrayInput", `[1,"x"]`, `at /1`},
		"missing in object":  {"measureInput", `{"uom":"m"}`, `measurement`},
		"unknown in object":  {"measureInput", `{"measurement":1,"uom":"m","x":1}`, `'x'`},
		"three numbers":      {"boundingBoxInput", `{"bbox":[1,2,3]}`, `at /bbox`},
		"not a geometry":     {"geometryInput", `{"type":"Circle"}`, `at /type`},
		"no such input":      {"x", `1`, `input "x"`},
		"not JSON":           {"stringInput", `{`, `not JSON`},
		"null":               {"stringInput", `null`, `want string`},
		"breaks its pattern": {"publish", `"../x"`, `pattern`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t, map[string]string{tc.input: tc.value})
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v, want one that says %s", err, tc.says)
			}
		})
	}
}

func TestDescriptionsAreMadeFromTypes(t *testing.T) {
	type in struct {
		Product chains.Product `json:"product" doc:"p"`
		Tiles   []string       `json:"tiles,omitempty" pattern:"^[0-9]{2}[A-Z]{3}$" doc:"t"`
		Share   float64        `json:"min_coverage" default:"0.1" minimum:"0" maximum:"1" doc:"c"`
		Mode    string         `json:"mode" default:"gamma" enum:"gamma,sigma" doc:"m"`
	}
	type out struct {
		Items []chains.Item `json:"items" doc:"i"`
	}
	var seen in
	c := chains.Define(chains.About{ID: "x", Collection: "x"}, func(_ context.Context, i in, _ chains.Workspace, _ chains.Progress) (out, error) {
		seen = i
		return out{}, nil
	})
	body, _ := json.Marshal(c.Inputs[1].Whole())
	if want := `{"items":{"pattern":"^[0-9]{2}[A-Z]{3}$","type":"string"},"type":"array"}`; string(body) != want {
		t.Errorf("schema %s, want %s", body, want)
	}
	if f := c.Inputs[0]; f.Kind != chains.AProduct || !f.Required || f.Many {
		t.Errorf("product is %+v", f)
	}
	if _, err := c.Run(t.Context(), nil, chains.Workspace{}, nil); err == nil || !strings.Contains(err.Error(), `"product"`) {
		t.Errorf("without its product: %v", err)
	}
	if _, err := c.Run(t.Context(), map[string]json.RawMessage{"product": json.RawMessage(`"/a"`)}, chains.Workspace{}, nil); err != nil {
		t.Error(err)
	}
	if seen.Share != 0.1 || seen.Mode != "gamma" || seen.Product != "/a" {
		t.Errorf("the chain saw %+v", seen)
	}
}

// Every chain's description is complete: this fails when one lacks a word.
func TestEveryChainIsDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range all.Chains() {
		if c.ID == "" || c.Version == "" || c.Title == "" || seen[c.ID] {
			t.Errorf("%q, version %q, title %q, seen before: %v", c.ID, c.Version, c.Title, seen[c.ID])
		}
		seen[c.ID] = true
		for _, f := range append(append([]chains.Field{}, c.Inputs...), c.Outputs...) {
			if f.Doc == "" {
				t.Errorf("%s: %s says nothing of itself", c.ID, f.Name)
			}
		}
	}
}
