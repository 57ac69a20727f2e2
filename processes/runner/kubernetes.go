package runner

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"swath/fault"
)

// Kubernetes runs tasks as Jobs of a Kubernetes cluster, one pod each. Tasks' folders lie on a volume that the pods mount under the
// same path. It speaks the API's plain HTTP and needs the rights that deploy/kubernetes.yaml gives.
type Kubernetes struct {
	API       string       // address of the API server, such as https://kubernetes.default.svc
	Client    *http.Client // trusts the cluster's certificate
	TokenFile string       // read for each request: the cluster changes it every hour
	Namespace string
	Image     string            // of this program
	Command   []string          // begins a command line in the image that calls Main; the task's folder follows it
	Claim     string            // the volume claim with the tasks' folders
	Mount     string            // where pods mount it: the folders are below
	User      int64             // user and group that the tasks' folders belong to; pods run as it
	Nodes     map[string]string // labels that a node must have; nil: any
	Every     time.Duration     // between two looks at a job; 0: 5 seconds
}

// Run creates a Job and waits for its end. The task's time counts from the pod's start, not from when it was queued.
func (k Kubernetes) Run(ctx context.Context, t Task, w Watch) (map[string]json.RawMessage, error) {
	if err := write(filepath.Join(t.Folder, taskFile), t); err != nil {
		return nil, fmt.Errorf("runner: %w", err)
	}
	sum := sha256.Sum256([]byte(t.Folder))
	name := "swath-" + hex.EncodeToString(sum[:8]) // ours alone, and known even when the answer is lost
	outputs, err := map[string]json.RawMessage(nil), k.ask(ctx, http.MethodPost, "batch/v1", "jobs", k.job(t, name), nil)
	var refused *statusError
	if errors.As(err, &refused) {
		return nil, err
	} else if err == nil {
		outputs, err = k.follow(ctx, t, w, name)
	}
	if left := k.remove(context.WithoutCancel(ctx), name); left != nil && err != nil {
		err = errors.Join(err, left) // of a run that went well what is left is removed by its time to live
	}
	return outputs, err
}

// object is a part of a manifest.
type object map[string]any

// job is the manifest of a task.
func (k Kubernetes) job(t Task, name string) object {
	threads := max(t.Threads, 1)
	resources := object{"cpu": strconv.Itoa(threads)}
	if t.MemoryMiB > 0 {
		resources["memory"] = strconv.Itoa(t.MemoryMiB+slackMiB) + "Mi"
	}
	command := append(k.Command[:len(k.Command):len(k.Command)], t.Folder)
	labels := object{"app.kubernetes.io/name": "swath", "app.kubernetes.io/component": "process", "swath/process": t.Chain}
	pod := object{
		"restartPolicy": "Never", "automountServiceAccountToken": false, "enableServiceLinks": false,
		"securityContext": object{"runAsNonRoot": true, "runAsUser": k.User, "runAsGroup": k.User, "fsGroup": k.User, "seccompProfile": object{"type": "RuntimeDefault"}},
		"volumes":         []object{{"name": "work", "persistentVolumeClaim": object{"claimName": k.Claim}}},
		"containers": []object{{
			"name": "run", "image": k.Image, "workingDir": t.Scratch,
			"command": append([]string{"sh", "-c", `exec "$@" >>"$0" 2>&1`, filepath.Join(t.Folder, logFile)}, command...),
			"env": []object{{"name": "SWATH_RUNNER", "value": "batch"}, {"name": "TMPDIR", "value": t.Scratch}, {"name": "HOME", "value": t.Scratch},
				{"name": "GOMAXPROCS", "value": strconv.Itoa(threads)}},
			"resources":       object{"requests": resources, "limits": resources},
			"securityContext": object{"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": object{"drop": []string{"ALL"}}},
			"volumeMounts":    []object{{"name": "work", "mountPath": k.Mount}},
		}},
	}
	if t.Time > 0 {
		pod["activeDeadlineSeconds"] = int64(t.Time.Seconds()) + 60 // the run looks after its time by itself, this after a run that can't
	}
	if len(k.Nodes) > 0 {
		pod["nodeSelector"] = k.Nodes
	}
	return object{
		"apiVersion": "batch/v1", "kind": "Job", "metadata": object{"name": name, "labels": labels},
		"spec": object{"backoffLimit": 0, "ttlSecondsAfterFinished": 3600, "template": object{"metadata": object{"labels": labels}, "spec": pod}},
	}
}

// follow looks at a Job until it has ended.
func (k Kubernetes) follow(ctx context.Context, t Task, w Watch, name string) (map[string]json.RawMessage, error) {
	files := &tail{task: t, watch: w}
	tick := time.NewTicker(cmp.Or(k.Every, 5*time.Second))
	defer tick.Stop()
	for missed := 0; ; {
		select {
		case <-ctx.Done():
			files.look(true)
			return nil, ctx.Err()
		case <-tick.C:
		}
		files.look(false)
		ended, err := k.ended(ctx, t, name)
		if !ended {
			continue // of a server that does not answer nothing is known
		}
		var r result
		if ok, _ := read(filepath.Join(t.Folder, resultFile), &r); ok { // one that is being written is there at the next look
			files.look(true)
			return r.outcome()
		}
		if missed++; missed < patienceLooks {
			continue
		}
		files.look(true)
		if err == nil {
			err = errors.New("the pod ended well")
		}
		if kind, _ := fault.Of(err); kind != fault.Internal {
			return nil, err
		}
		return nil, fmt.Errorf("runner: job %s left no result: %w; %s", name, err, lastLine(filepath.Join(t.Folder, logFile)))
	}
}

// ended reports whether a Job has come to its end, and with an error why it failed.
func (k Kubernetes) ended(ctx context.Context, t Task, name string) (bool, error) {
	var job struct {
		Status struct {
			Conditions []struct{ Type, Status, Reason string }
		}
	}
	err := k.ask(ctx, http.MethodGet, "batch/v1", "jobs/"+name, nil, &job)
	if missing(err) {
		return true, errors.New("it was removed")
	} else if err != nil {
		return false, nil
	}
	for _, c := range job.Status.Conditions {
		switch {
		case c.Status != "True":
		case c.Type == "Complete":
			return true, nil
		case c.Type == "Failed":
			return true, k.failure(ctx, t, name, c.Reason)
		}
	}
	return false, nil
}

// failure says why a Job failed, as its pod tells.
func (k Kubernetes) failure(ctx context.Context, t Task, name, reason string) error {
	var pods struct {
		Items []struct {
			Status struct {
				Reason            string
				ContainerStatuses []struct {
					State struct{ Terminated struct{ Reason string } }
				}
			}
		}
	}
	if err := k.ask(ctx, http.MethodGet, "v1", "pods?labelSelector="+url.QueryEscape("job-name="+name), nil, &pods); err != nil {
		return errors.Join(errors.New(reason), err)
	}
	for _, pod := range pods.Items {
		if pod.Status.Reason == "DeadlineExceeded" {
			return fault.New(fault.Timeout, "the process took longer than %s", t.Time)
		}
		for _, c := range pod.Status.ContainerStatuses {
			if c.State.Terminated.Reason == "OOMKilled" {
				return fault.New(fault.TooLarge, "the process took more memory than the %d MiB that it may take", t.MemoryMiB)
			}
			reason = cmp.Or(c.State.Terminated.Reason, reason)
		}
	}
	return errors.New(reason)
}

// remove deletes a Job and waits until its pod is gone.
func (k Kubernetes) remove(ctx context.Context, name string) error {
	ctx, stop := context.WithTimeout(ctx, cancelTime)
	defer stop()
	how := object{"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground", "gracePeriodSeconds": 0}
	for {
		err := k.ask(ctx, http.MethodDelete, "batch/v1", "jobs/"+name, how, nil)
		if missing(err) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("runner: job %s does not end", name), err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// statusError is an answer other than success.
type statusError struct {
	code    int
	message string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("runner: Kubernetes answers %d: %s", e.code, e.message)
}

// missing reports whether what was asked for is not there.
func missing(err error) bool {
	var s *statusError
	return errors.As(err, &s) && s.code == http.StatusNotFound
}

// ask sends one request of an API group about what lies in the namespace.
func (k Kubernetes) ask(ctx context.Context, method, group, path string, body, into any) error {
	ctx, stop := context.WithTimeout(ctx, 30*time.Second)
	defer stop()
	prefix := "/apis/"
	if group == "v1" {
		prefix = "/api/"
	}
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(k.API, "/")+prefix+group+"/namespaces/"+url.PathEscape(k.Namespace)+"/"+path, sent)
	if err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	if k.TokenFile != "" {
		token, err := os.ReadFile(k.TokenFile)
		if err != nil {
			return fmt.Errorf("runner: %w", err)
		}
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	answer, err := k.Client.Do(r)
	if err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 4<<20))
	if err != nil {
		return fmt.Errorf("runner: %w", err)
	}
	if answer.StatusCode >= 300 {
		var said struct{ Message string }
		_ = json.Unmarshal(text, &said) // a proxy in between may say anything
		return &statusError{answer.StatusCode, cmp.Or(said.Message, http.StatusText(answer.StatusCode))}
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("runner: Kubernetes: %w", err)
	}
	return nil
}
