package cwl

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"swath/chains"
	"swath/fault"
)

// Bounds of a document.
const (
	mostBytes = 1 << 20
	mostNodes = 20_000
	mostDepth = 64
)

// toolMiB is what cwltool takes by itself, beside the tools that it runs.
const toolMiB = 512

var isID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$`)

// Package is a document that was found fit to run.
type Package struct {
	chains.About
	Document        []byte // as it was given: YAML or JSON
	Main            string // id of the workflow or tool that runs; empty: the document is one
	Inputs, Outputs []chains.Field
	steps           int
}

// Parse reads a document and says what its main process takes and gives. Workflow names that process where the document has several.
// What is wrong with it is fault.Invalid, naming the place; what it asks for and is not run here is fault.Invalid too.
func Parse(document []byte, workflow string) (*Package, error) {
	if len(document) > mostBytes {
		return nil, fault.New(fault.TooLarge, "the package has %d bytes; it may have %d", len(document), mostBytes)
	}
	root, err := decode(document)
	if err != nil {
		return nil, err
	}
	w := &walker{}
	if err := w.walk(root, "", 0); err != nil {
		return nil, err
	}
	switch version := text(root["cwlVersion"]); version {
	case "v1.0", "v1.1", "v1.2":
	default:
		return nil, fault.New(fault.Invalid, "the package is of cwlVersion %q; v1.0, v1.1 and v1.2 are run", version)
	}
	main, name, err := mainOf(root, workflow)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(document)
	p := &Package{Document: document, Main: name, steps: 1}
	p.ID = local(text(main["id"]))
	p.Collection = p.ID // a document does not choose whose items it replaces
	p.Title, p.Description = cmp.Or(text(main["label"]), p.ID), words(main["doc"])
	p.Version = hex.EncodeToString(sum[:6])
	if said := softwareVersion(root, main); said != "" {
		p.Version = said + "+" + p.Version
	}
	if p.ID != "" && !isID.MatchString(p.ID) {
		return nil, fault.New(fault.Invalid, "%q is no id of a process: letters, digits, - and _", p.ID)
	}
	p.MemoryMiB = max(2048, w.ramMiB) + toolMiB
	if steps, ok := main["steps"]; ok {
		p.steps = max(len(entries(steps)), 1)
	}
	known := typesOf(root, main)
	if p.Inputs, err = fields(main["inputs"], true, known); err != nil {
		return nil, err
	}
	if p.Outputs, err = fields(main["outputs"], false, known); err != nil {
		return nil, err
	}
	return p, nil
}

// decode reads YAML, of which JSON is a part.
func decode(document []byte) (map[string]any, error) {
	var root map[string]any
	d := yaml.NewDecoder(bytes.NewReader(document))
	if err := d.Decode(&root); err != nil {
		return nil, fault.New(fault.Invalid, "the package is not YAML or JSON: %v", err)
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Invalid, "the package has more than one document")
	}
	return root, nil
}

// walker holds every part of a document against what is run here.
type walker struct {
	nodes  int
	ramMiB int
}

func (w *walker) walk(value any, at string, depth int) error {
	if w.nodes++; w.nodes > mostNodes || depth > mostDepth {
		return fault.New(fault.Invalid, "the package is too large: %d values and %d levels at most", mostNodes, mostDepth)
	}
	switch v := value.(type) {
	case []any:
		for i, part := range v {
			if err := w.walk(part, fmt.Sprintf("%s/%d", at, i), depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		if err := w.object(v, at); err != nil {
			return err
		}
		for key, part := range v {
			if err := w.walk(part, at+"/"+key, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// object refuses what would lead out of the document.
func (w *walker) object(o map[string]any, at string) error {
	wrong := func(what string) error { return fault.New(fault.Invalid, "the package, at %s: %s", at+"/", what) }
	for _, key := range []string{"$import", "$include", "$mixin", "$schemas"} {
		if _, ok := o[key]; ok {
			return wrong(key + " is not followed: a package is one document")
		}
	}
	if run, ok := o["run"].(string); ok && !strings.HasPrefix(run, "#") {
		return wrong(fmt.Sprintf("run: %q is not in the document; its own processes are #names", run))
	}
	if class := text(o["class"]); class == "File" || class == "Directory" {
		for _, key := range []string{"location", "path", "listing"} {
			if _, ok := o[key]; ok {
				return wrong("a " + class + " of a package has contents of its own, and no " + key)
			}
		}
	}
	return w.requirements(o, wrong)
}

// requirements looks at what the parts of an object need.
func (w *walker) requirements(o map[string]any, wrong func(string) error) error {
	for _, part := range []string{"requirements", "hints"} {
		for class, r := range byClass(o[part]) {
			switch class {
			case "DockerRequirement":
				if part == "requirements" {
					return wrong("images are not run here: a DockerRequirement may stand under hints")
				}
			case "NetworkAccess":
				if r["networkAccess"] != false {
					return wrong("processes have no network")
				}
			case "ResourceRequirement":
				for _, key := range []string{"ramMin", "ramMax"} {
					w.ramMiB = max(w.ramMiB, whole(r[key]))
				}
			}
		}
	}
	return nil
}

// byClass returns requirements by their class, in either of CWL's forms.
func byClass(value any) map[string]map[string]any {
	found := map[string]map[string]any{}
	switch v := value.(type) {
	case []any:
		for _, part := range v {
			if o, ok := part.(map[string]any); ok {
				found[text(o["class"])] = o
			}
		}
	case map[string]any:
		for class, part := range v {
			o, _ := part.(map[string]any)
			found[class] = o
		}
	}
	return found
}

// mainOf returns the process that runs, and its name within the document.
func mainOf(root map[string]any, workflow string) (main map[string]any, name string, err error) {
	graph, many := root["$graph"].([]any)
	if !many {
		if !runs(root) {
			return nil, "", fault.New(fault.Invalid, "the package is neither a Workflow nor a CommandLineTool")
		}
		return root, "", nil
	}
	var names []string
	for _, part := range graph {
		o, _ := part.(map[string]any)
		if !runs(o) || local(text(o["id"])) == "" {
			return nil, "", fault.New(fault.Invalid, "each part of $graph is a Workflow, CommandLineTool or ExpressionTool with an id")
		}
		id := local(text(o["id"]))
		names = append(names, id)
		switch {
		case workflow != "" && id != workflow:
		case workflow == "" && text(o["class"]) != "Workflow" && len(graph) > 1 && id != "main":
		case main != nil && name == "main":
		case main != nil && id != "main":
			return nil, "", fault.New(fault.Invalid, "the package has several workflows; say which one runs: ?w=%s", strings.Join(names, ", "))
		default:
			main, name = o, id
		}
	}
	if main == nil {
		return nil, "", fault.New(fault.Invalid, "the package has no workflow %q; it has %s", workflow, strings.Join(names, ", "))
	}
	return main, name, nil
}

// runs reports whether an object is a process that cwltool runs.
func runs(o map[string]any) bool {
	return slices.Contains([]string{"Workflow", "CommandLineTool", "ExpressionTool"}, text(o["class"]))
}

// softwareVersion is what the document says of itself, by schema.org's words.
func softwareVersion(places ...map[string]any) string {
	for _, o := range places {
		for _, key := range []string{"s:softwareVersion", "https://schema.org/softwareVersion", "http://schema.org/softwareVersion"} {
			if version := text(o[key]); version != "" && len(version) <= 40 {
				return version
			}
		}
	}
	return ""
}

// local is the last part of an id such as "#main/input".
func local(id string) string {
	id = id[strings.LastIndexByte(id, '#')+1:]
	return id[strings.LastIndexByte(id, '/')+1:]
}

func text(value any) string {
	s, _ := value.(string)
	return s
}

// words is a text that may be written in several pieces.
func words(value any) string {
	if list, ok := value.([]any); ok {
		parts := make([]string, len(list))
		for i, part := range list {
			parts[i] = text(part)
		}
		return strings.Join(parts, " ")
	}
	return strings.TrimSpace(text(value))
}

// whole rounds a number up; what is no number, such as an expression, is 0.
func whole(value any) int {
	switch n := value.(type) {
	case int:
		return min(n, 1<<20)
	case float64:
		return int(min(n+0.999, 1<<20))
	}
	return 0
}
