package cwl

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"swath/chains"
	"swath/fault"
)

// Tool is the cwltool of this machine and what a run of it may take.
type Tool struct {
	Path     string // of cwltool; empty: found by PATH
	DiskMiB  int    // what a run may write; 0 is 20480
	MostPIDs int    // processes and threads of a run; 0 is 512
}

// Chain makes the package a process. Its inputs and outputs obey the rules of package chains.
func (p *Package) Chain(tool Tool) (chains.Chain, error) {
	return chains.Describe(p.About, p.Inputs, p.Outputs,
		func(ctx context.Context, inputs map[string]json.RawMessage, ws chains.Workspace, progress chains.Progress) (map[string]json.RawMessage, error) {
			r := run{Package: p, tool: tool, ws: ws, progress: progress}
			return r.run(ctx, inputs)
		})
}

// run is one run of a package.
type run struct {
	*Package
	tool     Tool
	ws       chains.Workspace
	progress chains.Progress
	seen     []string // paths that the sandbox shows, read only
}

const (
	documentName = "package.cwl"
	orderName    = "inputs.json"
)

func (r *run) run(ctx context.Context, inputs map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	order, err := r.order(inputs)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(order)
	if err != nil {
		return nil, err
	}
	for name, text := range map[string][]byte{documentName: r.Document, orderName: body} {
		if err := os.WriteFile(filepath.Join(r.ws.Scratch, name), text, 0o644); err != nil { //nolint:gosec // the sandbox reads it
			return nil, fmt.Errorf("cwl: %w", err)
		}
	}
	said, err := r.cwltool(ctx)
	if err != nil {
		return nil, err
	}
	var values map[string]json.RawMessage
	if err := json.Unmarshal(said, &values); err != nil {
		return nil, fmt.Errorf("cwl: cwltool said no outputs: %w", err)
	}
	return r.results(values)
}

// order writes inputs in CWL's words.
func (r *run) order(inputs map[string]json.RawMessage) (map[string]any, error) {
	order := map[string]any{}
	for _, f := range r.Inputs {
		value, given := inputs[f.Name]
		if !given {
			continue
		}
		if f.Kind == chains.Value {
			written, err := r.literals(value)
			if err != nil {
				return nil, fault.Wrap(fault.Invalid, err, "input %q: %v", f.Name, err)
			}
			order[f.Name] = written
			continue
		}
		var paths []string
		if !f.Many {
			paths = []string{""}
			if err := json.Unmarshal(value, &paths[0]); err != nil {
				return nil, fault.New(fault.Invalid, "input %q: %v", f.Name, err)
			}
		} else if err := json.Unmarshal(value, &paths); err != nil {
			return nil, fault.New(fault.Invalid, "input %q: %v", f.Name, err)
		}
		objects := []any{}
		for i, path := range paths {
			o, err := r.stage(f, fmt.Sprintf("%s-%d", f.Name, i), path)
			if err != nil {
				return nil, err
			}
			objects = append(objects, o)
		}
		order[f.Name] = any(objects)
		if !f.Many {
			order[f.Name] = objects[0]
		}
	}
	return order, nil
}

// stage makes a file or product known to the sandbox, and returns CWL's object for it. A product is put beside a catalog.json.
func (r *run) stage(f chains.Field, folder, path string) (any, error) {
	r.seen = append(r.seen, path)
	if f.Kind != chains.AProduct {
		return map[string]string{"class": "File", "path": path}, nil
	}
	dir := filepath.Join(r.ws.Scratch, "staged", folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("cwl: %w", err)
	}
	name := filepath.Base(path)
	if err := os.Symlink(path, filepath.Join(dir, name)); err != nil {
		return nil, fmt.Errorf("cwl: %w", err)
	}
	link := name + "/item.json"
	if _, err := os.Stat(filepath.Join(path, "item.json")); err != nil { // a product as its agency made it: an item around it
		id := strings.TrimSuffix(strings.TrimSuffix(name, ".zip"), ".SAFE")
		item := map[string]any{"type": "Feature", "stac_version": "1.0.0", "id": id, "geometry": nil, "properties": map[string]any{"datetime": nil},
			"links": []any{}, "assets": map[string]any{"product": map[string]any{"href": "./" + name, "roles": []string{"data"}}}}
		link = id + ".json"
		if err := writeJSON(filepath.Join(dir, link), item); err != nil {
			return nil, err
		}
	}
	catalog := map[string]any{"type": "Catalog", "stac_version": "1.0.0", "id": folder, "description": "Input " + f.Name,
		"links": []any{map[string]string{"rel": "item", "href": "./" + link, "type": "application/geo+json"}}}
	return map[string]string{"class": "Directory", "path": dir}, writeJSON(filepath.Join(dir, "catalog.json"), catalog)
}

func writeJSON(path string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, body, 0o644); err != nil { //nolint:gosec // the sandbox reads it
		return fmt.Errorf("cwl: %w", err)
	}
	return nil
}

// cwltool runs the package in the sandbox and returns what it printed: its outputs.
func (r *run) cwltool(ctx context.Context) ([]byte, error) {
	path, err := exec.LookPath(cmp.Or(r.tool.Path, "cwltool"))
	if err != nil {
		return nil, fmt.Errorf("cwl: packages need cwltool: %w", err)
	}
	group := newGroup(r.MemoryMiB, cmp.Or(r.tool.MostPIDs, 512), r.ws.Log)
	defer group.remove()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	document := filepath.Join(r.ws.Scratch, documentName)
	if r.Main != "" {
		document += "#" + r.Main
	}
	args := []string{path, "--no-container", "--disable-color", "--on-error", "stop", "--outdir", r.ws.Out, "--tmpdir-prefix", r.ws.Scratch + "/t-", "--tmp-outdir-prefix", r.ws.Scratch + "/o-"}
	args = append(args, document, filepath.Join(r.ws.Scratch, orderName))
	sandbox, err := r.sandbox(path, group, args)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, sandbox[0], sandbox[1:]...)
	var out bytes.Buffer
	cmd.Stdout = &atMost{w: &out, left: 16 << 20}
	said, err := cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("cwl: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cwl: %w", err)
	}
	watched := make(chan struct{})
	go func() { defer close(watched); r.watchDisk(ctx, stop) }()
	r.follow(said)
	err = cmd.Wait()
	cause := context.Cause(ctx)
	stop(nil)
	<-watched
	switch {
	case cause != nil:
		return nil, cause
	case group.killed():
		return nil, fault.New(fault.TooLarge, "the process took more memory than the %d MiB that it may take", r.MemoryMiB)
	case err != nil:
		return nil, fault.New(fault.Invalid, "the package failed (%v): its log says why", err)
	}
	return out.Bytes(), nil
}

// atMost passes on so many bytes and drops the rest: what is cut off is no JSON any more.
type atMost struct {
	w    io.Writer
	left int
}

func (a *atMost) Write(p []byte) (int, error) {
	n := min(len(p), a.left)
	a.left -= n
	if _, err := a.w.Write(p[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// follow writes cwltool's words to the log and counts the steps that are done.
func (r *run) follow(said io.Reader) {
	lines := bufio.NewReaderSize(said, 64<<10)
	done := int64(0)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			fmt.Fprint(os.Stderr, line) // the job's log
		}
		if strings.Contains(line, "[step ") && strings.Contains(line, "completed") || strings.Contains(line, "[job ") && strings.Contains(line, "completed") && r.steps == 1 {
			done++
			r.progress(min(done, int64(r.steps)), int64(r.steps))
		}
		if err != nil {
			return
		}
	}
}

// watchDisk ends a run that writes more than it may.
func (r *run) watchDisk(ctx context.Context, stop context.CancelCauseFunc) {
	most := int64(cmp.Or(r.tool.DiskMiB, 20480)) << 20
	for tick := time.NewTicker(500 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return
		case <-tick.C:
		}
		var used int64
		for _, folder := range []string{r.ws.Out, r.ws.Scratch} {
			_ = filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error { // files come and go
				if err == nil && d.Type().IsRegular() {
					if info, err := d.Info(); err == nil {
						used += info.Size()
					}
				}
				return nil
			})
		}
		if used > most {
			stop(fault.New(fault.TooLarge, "the process wrote %d MiB; it may write %d", used>>20, most>>20))
			return
		}
	}
}

// results reads outputs in CWL's words.
func (r *run) results(values map[string]json.RawMessage) (map[string]json.RawMessage, error) {
	outputs := map[string]json.RawMessage{}
	for _, f := range r.Outputs {
		value, ok := values[f.Name]
		if !ok || string(value) == "null" {
			continue
		}
		if f.Kind == chains.Value {
			inlined, err := r.inline(value)
			if err != nil {
				return nil, fmt.Errorf("output %q: %w", f.Name, err)
			}
			outputs[f.Name] = inlined
			continue
		}
		paths, err := r.paths(f, value)
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", f.Name, err)
		}
		var named any = paths
		if !f.Many {
			if len(paths) != 1 {
				return nil, fault.New(fault.Invalid, "output %q: is %d files, not one", f.Name, len(paths))
			}
			named = paths[0]
		}
		body, err := json.Marshal(named)
		if err != nil {
			return nil, err
		}
		outputs[f.Name] = body
	}
	return outputs, nil
}

// object is a File or Directory as cwltool tells it.
type object struct {
	Class    string `json:"class"`
	Location string `json:"location"`
}

// paths returns the files of an output, or the items of the catalogs that are one.
func (r *run) paths(f chains.Field, value json.RawMessage) ([]string, error) {
	var objects []object
	if err := json.Unmarshal(value, &objects); err != nil {
		objects = make([]object, 1)
		if err := json.Unmarshal(value, &objects[0]); err != nil {
			return nil, err
		}
	}
	paths := []string{}
	for _, o := range objects {
		place, err := url.Parse(o.Location)
		if err != nil || place.Scheme != "file" {
			return nil, fault.New(fault.Invalid, "%q is no file", o.Location)
		}
		if err := r.within(place.Path); err != nil {
			return nil, err
		}
		if f.Kind != chains.AnItem {
			paths = append(paths, place.Path)
			continue
		}
		items, err := r.items(filepath.Join(place.Path, "catalog.json"), 0)
		if err != nil {
			return nil, err
		}
		paths = append(paths, items...)
	}
	return paths, nil
}

// within refuses what is not below the folder of results, or gets there by a link: outside of the sandbox a link leads elsewhere.
func (r *run) within(path string) error {
	root, err := filepath.EvalSymlinks(r.ws.Out)
	if err != nil {
		return fmt.Errorf("cwl: %w", err)
	}
	relative, err := filepath.Rel(r.ws.Out, filepath.Clean(path))
	if err != nil || !filepath.IsLocal(relative) {
		return fault.New(fault.Invalid, "%s is not among the results", path)
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil || real != filepath.Join(root, relative) {
		return fault.New(fault.Invalid, "%s is a link, or is not there", relative)
	}
	return filepath.WalkDir(real, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !d.Type().IsRegular() {
			return fault.New(fault.Invalid, "%s is neither a file nor a folder", path)
		}
		return err
	})
}

// items returns the items of a catalog and of those below it.
func (r *run) items(path string, depth int) ([]string, error) {
	if err := r.within(path); err != nil {
		return nil, fault.New(fault.Invalid, "a directory of results has a STAC catalog.json: %v", err)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cwl: %w", err)
	}
	var catalog struct {
		Links []struct{ Rel, Href string }
	}
	if err := json.Unmarshal(body, &catalog); err != nil || depth > 8 {
		return nil, fault.New(fault.Invalid, "%s is no STAC catalog: %v", filepath.Base(path), err)
	}
	var items []string
	for _, l := range catalog.Links {
		linked := filepath.Join(filepath.Dir(path), filepath.FromSlash(l.Href))
		switch l.Rel {
		case "item":
			if err := r.within(linked); err != nil {
				return nil, err
			}
			items = append(items, linked)
		case "child":
			below, err := r.items(linked, depth+1)
			if err != nil {
				return nil, err
			}
			items = append(items, below...)
		}
	}
	return items, nil
}
