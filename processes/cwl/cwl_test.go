package cwl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"swath/chains"
	"swath/fault"
)

// tool is the cwltool of the tests' Python environment, or skips the test.
func tool(t *testing.T) Tool {
	t.Helper()
	path, err := filepath.Abs("../../.cache/venv-cwl/bin/cwltool")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Skip("`make test-deps` installs cwltool: ", err)
	}
	if _, err := exec.LookPath("bwrap"); err != nil {
		t.Skip(err)
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		t.Fatal(err)
	}
	return Tool{Path: path, DiskMiB: 64}
}

// execute runs a document and returns its outputs and the folder of its results.
func execute(t *testing.T, ctx context.Context, document string, inputs map[string]string) (map[string]json.RawMessage, string, error) {
	t.Helper()
	p, err := Parse([]byte(document), "")
	if err != nil {
		t.Fatal(err)
	}
	chain, err := p.Chain(tool(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ws := chains.Workspace{Scratch: filepath.Join(dir, "scratch"), Out: filepath.Join(dir, "out"), Threads: 1, Log: slog.New(slog.DiscardHandler)}
	for _, folder := range []string{ws.Scratch, ws.Out} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	raw := map[string]json.RawMessage{}
	for name, value := range inputs {
		raw[name] = json.RawMessage(value)
	}
	outputs, err := chain.Run(ctx, raw, ws, func(int64, int64) {})
	return outputs, ws.Out, err
}

// shell is a package of one script, which has the input "in" as $0.
func shell(script string) string {
	body, _ := json.Marshal([]string{"sh", "-c", script}) //nolint:errcheck // strings
	return `{cwlVersion: v1.2, class: CommandLineTool, id: hostile, baseCommand: ` + string(body) + `,
  inputs: {in: {type: string, default: x, inputBinding: {position: 1}}}, outputs: {out: {type: stdout}}, stdout: out.txt}`
}

// read returns the content of a file output.
func read(t *testing.T, value json.RawMessage) string {
	t.Helper()
	var path string
	if err := json.Unmarshal(value, &path); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

const workflow = `
cwlVersion: v1.2
$namespaces: {s: https://schema.org/}
s:softwareVersion: 1.4.0
$graph:
- class: Workflow
  id: water
  label: Water bodies
  doc: Counts lines of a file and says a word.
  requirements: {ScatterFeatureRequirement: {}}
  inputs:
    words: {type: "string[]", doc: what to say}
    times: {type: "int?", default: 2}
    how: {type: {type: enum, symbols: [loud, low]}, default: low}
    text: "File?"
  outputs:
    said: {type: "File[]", outputSource: say/said}
  steps:
    say:
      run: "#say"
      scatter: word
      in: {word: words, times: times}
      out: [said]
- class: CommandLineTool
  id: say
  baseCommand: [sh, -c, 'for i in $(seq "$1"); do echo "$0"; done']
  hints: {DockerRequirement: {dockerPull: "debian:12"}, ResourceRequirement: {ramMin: 3000}}
  inputs:
    word: {type: string, inputBinding: {position: 1}}
    times: {type: int, inputBinding: {position: 2}}
  outputs: {said: {type: stdout}}
  stdout: $(inputs.word).txt
`

func TestDescription(t *testing.T) {
	p, err := Parse([]byte(workflow), "")
	if err != nil {
		t.Fatal(err)
	}
	if p.ID != "water" || p.Main != "water" || p.Title != "Water bodies" || !strings.HasPrefix(p.Version, "1.4.0+") || p.MemoryMiB != 3000+toolMiB {
		t.Errorf("%+v", p.About)
	}
	if got := strings.Join(chains.Names(p.Inputs), " "); got != "how text times words" {
		t.Fatalf("inputs %s", got)
	}
	how, text, times, words := p.Inputs[0], p.Inputs[1], p.Inputs[2], p.Inputs[3]
	if how.Required || string(how.Default) != `"low"` || len(how.Schema["enum"].([]any)) != 2 || text.Kind != chains.AFile || text.Required ||
		times.Schema["type"] != "integer" || !words.Many || !words.Required || words.Doc != "what to say" {
		t.Errorf("how %+v text %+v times %+v words %+v", how, text, times, words)
	}
	if said := p.Outputs[0]; said.Kind != chains.AFile || !said.Many {
		t.Errorf("said %+v", said)
	}
}

func TestWorkflow(t *testing.T) {
	outputs, _, err := execute(t, t.Context(), workflow, map[string]string{"words": `["moo","baa"]`, "times": "3"})
	if err != nil {
		t.Fatal(err)
	}
	var paths []json.RawMessage
	if err := json.Unmarshal(outputs["said"], &paths); err != nil || len(paths) != 2 {
		t.Fatalf("%s, %v", outputs["said"], err)
	}
	if got := read(t, paths[0]) + read(t, paths[1]); got != "moo\nmoo\nmoo\nbaa\nbaa\nbaa\n" {
		t.Errorf("said %q", got)
	}
}

// TestProduct brings a product in as a directory with a catalog, and items out as one.
func TestProduct(t *testing.T) {
	product := filepath.Join(t.TempDir(), "S2A_X.SAFE")
	if err := os.Mkdir(product, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(product, "manifest.safe"), []byte("<xfdu/>"), 0o644); err != nil {
		t.Fatal(err)
	}
	outputs, out, err := execute(t, t.Context(), `
cwlVersion: v1.0
class: CommandLineTool
id: stac
requirements: [{class: InlineJavascriptRequirement}]
baseCommand: [sh, -c, 'test -L "$0"/S2A_X.SAFE && mkdir -p r/i && cat "$0"/S2A_X.SAFE/manifest.safe > r/i/m.xml && grep -c S2A_X "$0"/catalog.json >&2;
  echo "{\"links\":[{\"rel\":\"item\",\"href\":\"./i/i.json\"}]}" > r/catalog.json; echo "{}" > r/i/i.json; touch "$0"/new 2>/dev/null; touch "$0"/S2A_X.SAFE/new 2>/dev/null; true']
inputs: {product: {type: Directory, inputBinding: {}}}
outputs: {results: {type: Directory, outputBinding: {glob: $("r")}}}
`, map[string]string{"product": `"` + product + `"`})
	if err != nil {
		t.Fatal(err)
	}
	var items []string
	if err := json.Unmarshal(outputs["results"], &items); err != nil || len(items) != 1 || items[0] != filepath.Join(out, "r/i/i.json") {
		t.Fatalf("%s, %v", outputs["results"], err)
	}
	if body, err := os.ReadFile(filepath.Join(out, "r/i/m.xml")); err != nil || string(body) != "<xfdu/>" {
		t.Errorf("%s, %v", body, err)
	}
	if _, err := os.Stat(filepath.Join(product, "new")); err == nil {
		t.Error("the run wrote into its input")
	}
}

// structures is a package of what types there are beside plain ones and files.
const structures = `
cwlVersion: v1.2
class: CommandLineTool
id: structures
requirements:
  InlineJavascriptRequirement: {}
  SchemaDefRequirement:
    types:
    - {name: area, type: record, label: An area, fields: {west: double, south: double, name: "string?"}}
inputs:
  window: {type: "#structures/area"}
  grid: {type: {type: array, items: {type: array, items: [int, "null"]}}}
  either: {type: [int, string, {type: array, items: string}], default: 3}
  anything: "Any?"
  sample:
    type:
      type: record
      fields:
      - {name: table, type: File, doc: as CSV}
      - {name: how, type: {type: enum, symbols: [fast, exact]}}
baseCommand: [sh, -c, 'mkdir d; cat "$0" > d/table.csv; cp d/table.csv copy.csv']
arguments: [$(inputs.sample.table)]
outputs:
  told:
    type: Any
    outputBinding: {outputEval: '${ return {file: inputs.sample.table.basename, window: inputs.window, grid: inputs.grid, either: inputs.either, anything: inputs.anything, how: inputs.sample.how}; }'}
  made:
    type:
      type: record
      fields:
        table: {type: File, outputBinding: {glob: copy.csv}}
        folder: {type: Directory, outputBinding: {glob: d}}
`

func TestStructures(t *testing.T) {
	p, err := Parse([]byte(structures), "")
	if err != nil {
		t.Fatal(err)
	}
	chain, err := p.Chain(Tool{})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ input, value, says string }{
		"a window":         {"window", `{"west":1,"south":2.5}`, ""},
		"no south":         {"window", `{"west":1}`, "south"},
		"no null":          {"window", `{"west":null,"south":1}`, "at /west"},
		"null":             {"window", `{"west":1,"south":2,"name":null}`, ""},
		"a slip":           {"window", `{"west":1,"south":2,"nmae":"x"}`, "nmae"},
		"lists":            {"grid", `[[1,2],[],[null]]`, ""},
		"a list":           {"grid", `[1]`, "at /0"},
		"a text in it":     {"grid", `[[1],["x"]]`, "at /1/0"},
		"one":              {"either", `7`, ""},
		"another":          {"either", `["x"]`, ""},
		"neither":          {"either", `1.5`, "either"},
		"anything":         {"anything", `{"a":[1,{"b":null}]}`, ""},
		"a file":           {"sample", `{"table":{"class":"File","contents":"a"},"how":"fast"}`, ""},
		"a file elsewhere": {"sample", `{"table":{"class":"File","location":"file:///etc/passwd"},"how":"fast"}`, "at /table"},
		"a word of no use": {"sample", `{"table":{"class":"File","contents":"a"},"how":"slow"}`, "must be one of fast, exact"},
	} {
		t.Run(name, func(t *testing.T) {
			f, _ := chain.Input(tc.input)
			if err := f.Validate(json.RawMessage(tc.value)); tc.says == "" && err != nil || tc.says != "" && (err == nil || !strings.Contains(err.Error(), tc.says)) {
				t.Errorf("%v, want one that says %q", err, tc.says)
			}
		})
	}
	inputs := map[string]string{
		"window": `{"west":1,"south":2.5}`, "grid": `[[1,2],[null]]`, "anything": `{"b":[true]}`,
		"sample": `{"table":{"class":"File","basename":"t.csv","contents":"a,b\n"},"how":"exact"}`,
	}
	outputs, _, err := execute(t, t.Context(), structures, inputs)
	if err != nil {
		t.Fatal(err)
	}
	equal := func(name, want string) {
		t.Helper()
		var got, wanted any
		if err := errors.Join(json.Unmarshal(outputs[name], &got), json.Unmarshal([]byte(want), &wanted)); err != nil || !reflect.DeepEqual(got, wanted) {
			t.Errorf("%s is %s, want %s (%v)", name, outputs[name], want, err)
		}
	}
	equal("told", `{"file":"t.csv","window":{"west":1,"south":2.5,"name":null},"grid":[[1,2],[null]],"either":3,"anything":{"b":[true]},"how":"exact"}`)
	file := `{"class":"File","basename":%q,"contents":"a,b\n","checksum":"sha1$2fbdd1b4fa7011d804f484d0bd32bff7f526d812","size":4}`
	equal("made", fmt.Sprintf(`{"table":`+file+`,"folder":{"class":"Directory","basename":"d","listing":[`+file+`]}}`, "copy.csv", "table.csv"))

	inputs["sample"] = `{"table":{"class":"File","basename":"../t.csv","contents":"a"},"how":"exact"}`
	if _, _, err := execute(t, t.Context(), structures, inputs); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "no name") {
		t.Errorf("a name with a path: %v", err)
	}
	inputs["anything"] = `[{"class":"File","path":"/etc/passwd"}]`
	if _, _, err := execute(t, t.Context(), structures, inputs); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "no path") {
		t.Errorf("a path within a value: %v", err)
	}
}

// TestLargeWithin refuses a file within a value that CWL does not let stand there.
func TestLargeWithin(t *testing.T) {
	for name, tc := range map[string]struct {
		script string
		kind   fault.Kind
	}{
		"too large": {"head -c 70000 /dev/zero | tr '\\0' a > f", fault.TooLarge},
		"no text":   {"printf '\\377' > f", fault.Invalid},
	} {
		t.Run(name, func(t *testing.T) {
			body, _ := json.Marshal([]string{"sh", "-c", tc.script}) //nolint:errcheck // strings
			_, _, err := execute(t, t.Context(), `{cwlVersion: v1.2, class: CommandLineTool, inputs: {}, baseCommand: `+string(body)+`,
  outputs: {o: {type: {type: record, fields: {f: {type: File, outputBinding: {glob: f}}}}}}}`, nil)
			if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), "of their own") && !strings.Contains(err.Error(), "of its own") {
				t.Errorf("%v, want %v", err, tc.kind)
			}
		})
	}
}

func TestContained(t *testing.T) {
	canary := filepath.Join(t.TempDir(), "canary")
	if err := os.WriteFile(canary, []byte("a secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			if c, err := l.Accept(); err != nil {
				return
			} else {
				t.Error("somebody called")
				c.Close()
			}
		}
	}()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for name, tc := range map[string]struct {
		script string
		kind   fault.Kind // -1: it ends well, and prints says
		says   string
	}{
		"reads another's file":    {"cat " + canary + " || echo none", -1, "none\n"},
		"reads accounts":          {"cat /etc/shadow /etc/hostname || cut -d: -f1 /etc/passwd", -1, "nobody\n"},
		"sees processes":          {"ls -d /proc/[0-9]* | wc -l", -1, ""},
		"is somebody":             {"id -u; cat /proc/self/status | grep CapEff | cut -f2; grep -c . /proc/net/dev", -1, "65534\n0000000000000000\n3\n"},
		"opens the network":       {"python3 -c \"import socket; socket.create_connection(('127.0.0.1'," + port + "),2)\" 2>&1 | tail -1 | cut -d: -f1", -1, "ConnectionRefusedError\n"},
		"makes user namespaces":   {"unshare -r id -u || echo refused", -1, "refused\n"},
		"writes where it may not": {"touch /usr/x /etc/x " + canary + " || echo refused", -1, "refused\n"},
		"fills the disk":          {"dd if=/dev/zero of=big bs=1M count=2000 2>/dev/null; sleep 5", fault.TooLarge, "it may write 64"},
		"fails":                   {"exit 7", fault.Invalid, "its log says why"},
	} {
		t.Run(name, func(t *testing.T) {
			outputs, _, err := execute(t, t.Context(), shell(tc.script), nil)
			if tc.kind >= 0 {
				if !fault.Is(err, tc.kind) || !strings.Contains(err.Error(), tc.says) {
					t.Errorf("%v, want %v that says %q", err, tc.kind, tc.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := read(t, outputs["out"]); tc.says != "" && got != tc.says {
				t.Errorf("said %q, want %q", got, tc.says)
			}
		})
	}
	t.Run("forks and never ends", func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		_, _, err := execute(t, ctx, shell("f() { sleep 997 & f & f; }; f"), nil)
		if err == nil {
			t.Error("it ended well")
		}
		time.Sleep(500 * time.Millisecond)
		if out, _ := exec.Command("pgrep", "-f", "sleep 99[7]").Output(); len(out) > 0 { //nolint:errcheck // 1 is none
			t.Errorf("still there: %s", out)
		}
	})
	t.Run("takes the memory", func(t *testing.T) {
		p := shell(`python3 -c "b = bytearray(6 << 30); print(len(b))"`)
		if _, _, err := execute(t, t.Context(), p, nil); err == nil || os.Getuid() == 0 && !fault.Is(err, fault.TooLarge) {
			t.Errorf("of 6 GiB came %v", err)
		}
	})
	t.Run("leaves a link", func(t *testing.T) {
		_, _, err := execute(t, t.Context(), `{cwlVersion: v1.2, class: CommandLineTool, baseCommand: [sh, -c, 'ln -s `+canary+` out.txt'], inputs: {}, outputs: {out: {type: File, outputBinding: {glob: out.txt}}}}`, nil)
		if err == nil {
			t.Error("a link came out")
		}
	})
	t.Run("leaves a link to what the sandbox has", func(t *testing.T) {
		_, out, err := execute(t, t.Context(), `{cwlVersion: v1.2, class: CommandLineTool, baseCommand: [sh, -c, 'mkdir r; echo "{}" > r/catalog.json; ln -s /etc/passwd r/asset.tif'], inputs: {}, outputs: {out: {type: Directory, outputBinding: {glob: r}}}}`, nil)
		if err == nil { // then it is a copy
			body, err := os.ReadFile(filepath.Join(out, "r/asset.tif"))
			if info, stat := os.Lstat(filepath.Join(out, "r/asset.tif")); err != nil || stat != nil || !info.Mode().IsRegular() || !strings.HasPrefix(string(body), "nobody") {
				t.Errorf("%q, %v, %v", body, err, stat)
			}
		} else if !fault.Is(err, fault.Invalid) {
			t.Error(err)
		}
	})
}

func TestRefused(t *testing.T) {
	tool := "class: CommandLineTool, inputs: {}, outputs: {}, baseCommand: ls"
	for name, tc := range map[string]struct{ document, says string }{
		"no YAML":             {"{", "not YAML"},
		"two documents":       {"cwlVersion: v1.2\n---\na: b", "more than one"},
		"another version":     {"{cwlVersion: draft-3, " + tool + "}", "draft-3"},
		"no process":          {"{cwlVersion: v1.2}", "neither a Workflow"},
		"an import":           {"{cwlVersion: v1.2, " + tool + ", hints: [{$import: 'file:///etc/passwd'}]}", "$import"},
		"an include":          {"{cwlVersion: v1.2, " + tool + ", doc: {$include: /etc/passwd}}", "$include"},
		"a remote step":       {"{cwlVersion: v1.2, class: Workflow, inputs: {}, outputs: {}, steps: {a: {run: 'http://127.0.0.1/x.cwl', in: {}, out: []}}}", "not in the document"},
		"a file of ours":      {"{cwlVersion: v1.2, class: CommandLineTool, outputs: {}, inputs: {a: {type: File, default: {class: File, path: /etc/passwd}}}}", "no path"},
		"an image":            {"{cwlVersion: v1.2, " + tool + ", requirements: {DockerRequirement: {dockerPull: x}}}", "images are not run"},
		"the network":         {"{cwlVersion: v1.2, " + tool + ", requirements: [{class: NetworkAccess, networkAccess: true}]}", "no network"},
		"an unknown type":     {"{cwlVersion: v1.2, class: CommandLineTool, outputs: {}, inputs: {a: {type: {type: record, fields: {b: [int, colour]}}}}}", `input "a": "b": there is no type "colour"`},
		"a type of itself":    {"{cwlVersion: v1.2, class: CommandLineTool, outputs: {}, inputs: {a: t}, requirements: {SchemaDefRequirement: {types: [{name: t, type: array, items: t}]}}}", "too deep"},
		"its own name":        {"{cwlVersion: v1.2, class: CommandLineTool, outputs: {}, inputs: {a: t}, requirements: {SchemaDefRequirement: {types: [{name: t, type: t}]}}}", `input "a"`},
		"a file with others":  {"{cwlVersion: v1.2, class: CommandLineTool, outputs: {}, inputs: {a: {type: File, secondaryFiles: [{pattern: .idx, required: false}, .bai]}}}", "comes alone"},
		"several workflows":   {"{cwlVersion: v1.2, $graph: [{class: Workflow, id: a, inputs: {}, outputs: {}, steps: []}, {class: Workflow, id: b, inputs: {}, outputs: {}, steps: []}]}", "several"},
		"a default that lies": {"{cwlVersion: v1.2, class: CommandLineTool, outputs: {}, inputs: {a: {type: int, default: x}}}", "want integer"},
		"an id with a path":   {"{cwlVersion: v1.2, id: 'a b', " + tool + "}", "no id"},
		"too deep":            {"{cwlVersion: v1.2, " + tool + ", doc: " + strings.Repeat("[", 80) + strings.Repeat("]", 80) + "}", "too large"},
		"a bomb":              {"a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Parse([]byte(tc.document), "")
			if err == nil {
				_, err = p.Chain(Tool{})
			}
			if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v, want one that says %q", err, tc.says)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add(workflow)
	f.Add(structures)
	f.Add(shell("ls"))
	f.Fuzz(func(t *testing.T, document string) {
		p, err := Parse([]byte(document), "")
		if err != nil && p != nil {
			t.Fatal("a package and an error")
		}
		if kind, _ := fault.Of(err); err != nil && kind == fault.Internal {
			t.Fatal(err)
		}
		if err == nil {
			_, _ = p.Chain(Tool{})
		}
	})
}
