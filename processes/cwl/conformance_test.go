package cwl

import (
	"cmp"
	"crypto/sha1" //nolint:gosec // what CWL says of files
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"swath/chains"
)

// conformanceCase is a conformance test of CWL as testdata/plain.py writes it.
type conformanceCase struct {
	Document string                     `json:"document"`
	Main     string                     `json:"main"`
	Job      map[string]json.RawMessage `json:"job"`
	Fails    bool                       `json:"fails"` // it should
	Plain    map[string]any             `json:"plain"` // what cwltool gives by itself
}

// errOutside is why a case does not apply, beside that its document is refused.
var errOutside = errors.New("outside")

func outside(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errOutside}, args...)...)
}

// TestConformance runs the conformance tests of CWL as packages, and compares what comes out with what cwltool gives by itself. The folder
// SWATH_CWL_CASES holds them (testdata/plain.py makes it); they are not of this repository.
func TestConformance(t *testing.T) {
	folder := os.Getenv("SWATH_CWL_CASES")
	if folder == "" {
		t.Skip("SWATH_CWL_CASES names no folder of conformance tests")
	}
	tool := tool(t)
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in %s: %v", folder, err)
	}
	var mu sync.Mutex
	count, why := map[string]int{}, map[string][]string{}
	note := func(what, reason, id string) {
		mu.Lock()
		defer mu.Unlock()
		count[what]++
		if reason != "" {
			why[what+": "+reason] = append(why[what+": "+reason], id)
		}
	}
	t.Run("cases", func(t *testing.T) {
		for _, path := range paths {
			id := strings.TrimSuffix(filepath.Base(path), ".json")
			t.Run(id, func(t *testing.T) {
				t.Parallel()
				var c conformanceCase
				body, err := os.ReadFile(path)
				if err == nil {
					err = json.Unmarshal(body, &c)
				}
				if err != nil {
					t.Fatal(err)
				}
				p, err := Parse([]byte(c.Document), c.Main)
				switch {
				case err != nil && c.Fails:
					note("refused, as it should fail", "", id)
					return
				case err != nil:
					note("refused", reason(err), id)
					return
				case c.Plain == nil && !c.Fails: // its tools are in an image, or not on this machine
					note("not run by cwltool here either", "", id)
					return
				}
				err = c.compare(t, p, tool)
				switch {
				case errors.Is(err, errOutside):
					note("no input or output of a process", err.Error(), id)
				case err != nil:
					note("different", "", id)
					t.Error(err)
				default:
					note("alike", "", id)
				}
			})
		}
	})
	for _, what := range slices.Sorted(keys(count)) {
		t.Logf("%4d %s", count[what], what)
	}
	for _, what := range slices.Sorted(keys(why)) {
		t.Logf("%4d %s: %s", len(why[what]), what, strings.Join(why[what], " "))
	}
}

func keys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// reason is a refusal without what is the case's own.
func reason(err error) string {
	text := err.Error()
	if i := strings.LastIndex(text, ": "); i >= 0 {
		text = text[i+2:]
	}
	return text
}

// compare runs a case and says what is not as cwltool gives it.
func (c conformanceCase) compare(t *testing.T, p *Package, tool Tool) error {
	inputs := map[string]json.RawMessage{}
	for name, value := range c.Job {
		if strings.HasPrefix(name, "cwl:") {
			return outside("inputs with %s", name)
		}
		f, known := find(p.Inputs, name)
		if !known || string(value) == "null" {
			continue // cwltool does not mind them
		}
		taken, err := given(f, value)
		if f.Kind == chains.Value && !c.Fails && strings.Contains(string(value), `"File"`) && strings.Contains(c.Document, "secondaryFiles") {
			err = outside("a File within a value, with others beside it")
		}
		if err != nil {
			return err
		}
		inputs[name] = taken
	}
	if slices.ContainsFunc(p.Outputs, func(f chains.Field) bool { return f.Kind == chains.AnItem }) {
		return outside("a Directory that is no STAC catalog")
	}
	chain, err := p.Chain(tool)
	if err != nil {
		return err
	}
	dir := t.TempDir()
	ws := chains.Workspace{Scratch: filepath.Join(dir, "scratch"), Out: filepath.Join(dir, "out"), Threads: 1, Log: slog.New(slog.DiscardHandler)}
	for _, folder := range []string{ws.Scratch, ws.Out} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	outputs, err := chain.Run(t.Context(), inputs, ws, func(int64, int64) {})
	if failed := c.Plain == nil; err != nil || failed {
		if (err != nil) != failed {
			return fmt.Errorf("it fails by itself: %v; it says %v", failed, err)
		}
		return nil
	}
	for _, f := range p.Outputs {
		var got any
		if value, ok := outputs[f.Name]; ok {
			if err := json.Unmarshal(value, &got); err != nil {
				return err
			}
		}
		if want := c.Plain[f.Name]; f.Kind == chains.AFile {
			if got, want = content(got), told(want); !reflect.DeepEqual(got, want) {
				return fmt.Errorf("output %s is %v, want %v", f.Name, got, want)
			}
		} else if got, want := toldWithin(got), toldWithin(want); !reflect.DeepEqual(got, want) {
			return fmt.Errorf("output %s is %v, want %v", f.Name, got, want)
		}
	}
	return nil
}

func find(fields []chains.Field, name string) (chains.Field, bool) {
	i := slices.IndexFunc(fields, func(f chains.Field) bool { return f.Name == name })
	if i < 0 {
		return chains.Field{}, false
	}
	return fields[i], true
}

// given is an input of CWL as a process takes it: of a file its path.
func given(f chains.Field, value json.RawMessage) (json.RawMessage, error) {
	switch f.Kind {
	case chains.Value:
		return literal(value)
	case chains.AProduct:
		return nil, outside("a Directory that is no product")
	}
	var one map[string]any
	var many []map[string]any
	if json.Unmarshal(value, &one) == nil {
		many = []map[string]any{one}
	} else if err := json.Unmarshal(value, &many); err != nil {
		return value, nil // it is wrong, and should fail
	}
	paths := make([]string, len(many))
	for i, o := range many {
		for key, what := range o {
			switch key {
			case "class":
			case "location", "path":
				paths[i], _ = what.(string)
			default:
				return nil, outside("a File with %s of its own", key)
			}
		}
	}
	if f.Many {
		return json.Marshal(paths)
	}
	return json.Marshal(paths[0])
}

// literal puts what the files within a value say into it.
func literal(raw json.RawMessage) (json.RawMessage, error) {
	var value any
	if err := json.Unmarshal(raw, &value); err != nil {
		return nil, err
	}
	value, err := rewritten(value, func(o map[string]any) (any, error) {
		name, _ := cmp.Or(o["location"], o["path"]).(string)
		if name == "" {
			return o, nil
		}
		if o["class"] == "Directory" {
			return nil, outside("a Directory by its path within a value")
		}
		text, err := contents(name)
		if err != nil {
			return nil, outside("a File within a value: %v", err)
		}
		delete(o, "location")
		delete(o, "path")
		o["contents"] = text
		if o["basename"] == nil {
			o["basename"] = filepath.Base(name)
		}
		return o, nil
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(value)
}

// toldWithin is a value with what is told of the files in it.
func toldWithin(value any) any {
	value, err := rewritten(value, func(o map[string]any) (any, error) {
		name, _ := cmp.Or(o["location"], o["basename"]).(string)
		short := map[string]any{"is": o["class"], "name": named(name)}
		for _, key := range []string{"checksum", "size", "listing", "secondaryFiles"} {
			if said, ok := o[key]; ok {
				short[key] = said
			}
		}
		return short, nil
	})
	if err != nil {
		panic(err) // it never says so
	}
	if runtime, ok := value.(map[string]any); ok && runtime["outdir"] != nil && runtime["tmpdir"] != nil {
		runtime["outdir"], runtime["tmpdir"] = "*", "*" // each run has its own
	}
	return value
}

// content says of the files of an output what cwltool tells of them.
func content(value any) any {
	if list, ok := value.([]any); ok {
		all := make([]any, len(list))
		for i, one := range list {
			all[i] = content(one)
		}
		return all
	}
	path, ok := value.(string)
	if !ok {
		return value
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	sum := sha1.Sum(body) //nolint:gosec // what CWL says of files
	return fmt.Sprintf("%s sha1$%s %d", named(path), hex.EncodeToString(sum[:]), len(body))
}

// told is what cwltool tells of the files of an output.
func told(value any) any {
	switch v := value.(type) {
	case []any:
		all := make([]any, len(v))
		for i, one := range v {
			all[i] = told(one)
		}
		return all
	case map[string]any:
		location, _ := v["location"].(string)
		return fmt.Sprintf("%s %v %v", named(location), v["checksum"], v["size"])
	}
	return value
}

var isMadeUp = regexp.MustCompile(`^[0-9a-f]{40}(_[0-9]+)?$`)

// named is the name of a file; all that cwltool made up are one.
func named(path string) string {
	if name := filepath.Base(path); !isMadeUp.MatchString(name) {
		return name
	}
	return "*"
}
