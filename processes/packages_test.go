package processes_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"swath/auth"
	"swath/chains"
	"swath/fault"
	"swath/processes"
	"swath/processes/cwl"
)

// shout is a package in a version.
func shout(end string) processes.Deployment {
	return processes.Deployment{Document: []byte(`
cwlVersion: v1.2
class: CommandLineTool
id: shout
baseCommand: [sh, -c, 'sleep "$1"; printf "%s` + end + `" "$0"']
inputs:
  word: {type: string, inputBinding: {position: 1}}
  seconds: {type: int, default: 0, inputBinding: {position: 2}}
outputs: {said: {type: stdout}}
stdout: said.txt
`)}
}

func as(ctx context.Context, user string, role auth.Role) context.Context {
	return auth.With(ctx, auth.Principal{User: user, Role: role})
}

func TestPackages(t *testing.T) {
	path, err := filepath.EvalSymlinks("../.cache/venv-cwl")
	if err == nil {
		path, err = filepath.Abs(filepath.Join(path, "bin/cwltool"))
	}
	if _, missing := os.Stat(path); err != nil || missing != nil {
		t.Skip("`make test-deps` installs cwltool")
	}
	h := newHouse(t, true, func(c *processes.Config) { c.Packages = &cwl.Tool{Path: path} })
	reader, centre := as(t.Context(), "ann", auth.Processor), as(t.Context(), "theia", auth.Centre)

	if _, err := h.engine.Deploy(reader, shout("!")); !fault.Is(err, fault.Forbidden) {
		t.Errorf("somebody without the role deployed: %v", err)
	}
	chain, err := h.engine.Deploy(centre, shout("!"))
	if err != nil || chain.ID != "shout" || len(chain.Inputs) != 2 {
		t.Fatalf("%+v, %v", chain, err)
	}
	if _, err := h.engine.Deploy(centre, shout("?")); !errors.Is(err, processes.ErrDuplicated) {
		t.Errorf("deployed twice: %v", err)
	}
	if _, err := h.engine.Replace(as(t.Context(), "muscate", auth.Centre), "shout", shout("?")); !fault.Is(err, fault.Forbidden) {
		t.Errorf("another's package was replaced: %v", err)
	}
	if _, err := h.engine.Replace(centre, "echo", shout("?")); !errors.Is(err, processes.ErrImmutable) {
		t.Errorf("a built-in process was replaced: %v", err)
	}
	if all, err := h.engine.Processes(reader); err != nil || !strings.Contains(names(all), " shout ") {
		t.Errorf("processes %s, %v", names(all), err)
	}

	// A job runs the version it was accepted with, whatever becomes of the package meanwhile.
	first, err := h.engine.Submit(reader, "shout", asked(t, `{"word":"moo","seconds":3}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.engine.Replace(centre, "shout", shout("?")); err != nil {
		t.Fatal(err)
	}
	second, err := h.engine.Submit(reader, "shout", asked(t, `{"word":"moo"}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.engine.Undeploy(centre, "shout"); err != nil {
		t.Fatal(err)
	}
	if _, err := h.engine.Submit(reader, "shout", asked(t, `{"word":"moo"}`)); !fault.Is(err, fault.NotFound) {
		t.Errorf("ran what is gone: %v", err)
	}
	for id, want := range map[string]string{first.ID: "moo!", second.ID: "moo?"} {
		if got := h.said(t, reader, id); got != want {
			t.Errorf("said %q, want %q", got, want)
		}
	}
	if first.Version == second.Version {
		t.Errorf("both are version %s", first.Version)
	}
	if _, err := h.engine.Deploy(centre, shout("!")); err != nil {
		t.Errorf("a package does not come back: %v", err)
	}
	if d, err := h.engine.Package(reader, "shout"); err != nil || string(d.Document) != string(shout("!").Document) {
		t.Errorf("%s, %v", d.Document, err)
	}
}

// said waits for a job and returns its only file.
func (h *house) said(t *testing.T, ctx context.Context, id string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if j, err := h.engine.Wait(ctx, id); err != nil || j.Status != processes.Successful {
		t.Fatalf("%+v, %v", j, err)
	}
	results, err := h.engine.Results(ctx, id)
	if err != nil || len(results) != 1 || len(results[0].Parts) != 1 {
		t.Fatalf("%+v, %v", results, err)
	}
	o, err := h.config.Objects.Open(ctx, results[0].Parts[0].Object)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	body := make([]byte, o.Info().Size)
	if _, err := o.ReadAt(body, 0); err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func names(all []chains.Chain) string {
	text := " "
	for _, c := range all {
		text += c.ID + " "
	}
	return text
}
