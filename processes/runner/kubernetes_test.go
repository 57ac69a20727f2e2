package runner_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"swath/fault"
	"swath/processes/runner"
)

// kubernetes is as much of an API server as a Job needs, with this machine as its node. What the types of Kubernetes do not know in a
// manifest it refuses, as the server does with strict validation.
type kubernetes struct {
	t *testing.T

	mu   sync.Mutex
	pods map[string]*pod
}

// pod is a Job with its only pod.
type pod struct {
	job   batchv1.Job
	cmd   *exec.Cmd
	ended chan struct{}
	err   error
}

const jobsPath = "/apis/batch/v1/namespaces/swath/jobs"

func (k *kubernetes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer secret" {
		k.refuse(w, http.StatusUnauthorized, "Unauthorized")
		return
	}
	name := strings.TrimPrefix(r.URL.Path, jobsPath+"/")
	p := k.pods[name]
	switch {
	case r.Method == http.MethodPost && r.URL.Path == jobsPath:
		k.create(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/api/v1/namespaces/swath/pods":
		name, _ := strings.CutPrefix(r.URL.Query().Get("labelSelector"), "job-name=")
		_ = json.NewEncoder(w).Encode(corev1.PodList{Items: []corev1.Pod{{Status: k.pods[name].status()}}})
	case p == nil:
		k.refuse(w, http.StatusNotFound, "jobs.batch not found")
	case r.Method == http.MethodGet:
		_ = json.NewEncoder(w).Encode(batchv1.Job{ObjectMeta: p.job.ObjectMeta, Status: p.jobStatus()})
	case r.Method == http.MethodDelete:
		if err := strict(r.Body, new(metav1.DeleteOptions)); err != nil {
			k.refuse(w, http.StatusBadRequest, err.Error())
			return
		}
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.ended
		delete(k.pods, name)
	default:
		k.refuse(w, http.StatusMethodNotAllowed, r.Method)
	}
}

func (k *kubernetes) refuse(w http.ResponseWriter, code int, message string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"kind": "Status", "message": message})
}

// create starts the command of a manifest, as its container would.
func (k *kubernetes) create(w http.ResponseWriter, r *http.Request) {
	var job batchv1.Job
	if err := strict(r.Body, &job); err != nil {
		k.refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	spec := job.Spec.Template.Spec
	if len(spec.Containers) != 1 || spec.RestartPolicy != corev1.RestartPolicyNever || job.Name == "" {
		k.refuse(w, http.StatusUnprocessableEntity, "Job is invalid")
		return
	}
	c := spec.Containers[0]
	if c.Image == "" {
		k.refuse(w, http.StatusUnprocessableEntity, "spec.template.spec.containers[0].image: Required value")
		return
	}
	k.restricted(spec)
	mounted := c.VolumeMounts[0].MountPath + "/"
	if !strings.HasPrefix(c.WorkingDir, mounted) {
		k.t.Errorf("the working folder %s is outside of %s", c.WorkingDir, mounted)
	}
	cmd := exec.Command(c.Command[0], c.Command[1:]...)
	cmd.Dir, cmd.SysProcAttr = c.WorkingDir, &syscall.SysProcAttr{Setpgid: true}
	for _, e := range c.Env {
		cmd.Env = append(cmd.Env, e.Name+"="+e.Value)
	}
	if err := cmd.Start(); err != nil {
		k.refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	p := &pod{job: job, cmd: cmd, ended: make(chan struct{})}
	k.pods[job.Name] = p
	go func() { p.err = cmd.Wait(); close(p.ended) }()
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(job)
}

// restricted holds a pod against the profile "restricted" of the pod security standards.
func (k *kubernetes) restricted(spec corev1.PodSpec) {
	s, c := spec.SecurityContext, spec.Containers[0].SecurityContext
	if !*s.RunAsNonRoot || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault || *c.AllowPrivilegeEscalation || !*c.ReadOnlyRootFilesystem ||
		len(c.Capabilities.Drop) != 1 || c.Capabilities.Drop[0] != "ALL" || *spec.AutomountServiceAccountToken || spec.HostNetwork || spec.HostPID {
		k.t.Errorf("the pod may too much: %+v %+v", s, c)
	}
	limits := spec.Containers[0].Resources.Limits
	if cpu, memory := limits.Cpu().Value(), limits.Memory().Value(); cpu != 1 || memory != 1324<<20 {
		k.t.Errorf("%d cores and %d bytes, want 1 and 1324 MiB", cpu, memory)
	}
}

// status of the pod, as the kubelet tells it.
func (p *pod) status() (s corev1.PodStatus) {
	if _, killed := p.job.Labels["test/oom"]; killed {
		s.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "OOMKilled"}}}}
	} else if p.err != nil {
		s.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Error"}}}}
	}
	return s
}

func (p *pod) jobStatus() (s batchv1.JobStatus) {
	select {
	case <-p.ended:
	default:
		return s
	}
	kind, reason := batchv1.JobComplete, ""
	if p.err != nil {
		kind, reason = batchv1.JobFailed, "BackoffLimitExceeded"
	}
	s.Conditions = []batchv1.JobCondition{{Type: kind, Status: corev1.ConditionTrue, Reason: reason}}
	return s
}

// strict decodes JSON and refuses what the type does not know.
func strict(r io.Reader, into any) error {
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// start serves the API and returns the executor of a cluster that sees the folder of temporary files.
func start(t *testing.T) (*kubernetes, runner.Kubernetes) {
	t.Helper()
	k := &kubernetes{t: t, pods: map[string]*pod{}}
	server := httptest.NewTLSServer(k)
	t.Cleanup(server.Close)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return k, runner.Kubernetes{API: server.URL, Client: server.Client(), TokenFile: token, Namespace: "swath", Image: "swath:1", Command: []string{os.Args[0]},
		Claim: "swath-data", Mount: filepath.Clean(os.TempDir()), User: 1000, Every: 50 * time.Millisecond}
}

func TestKubernetes(t *testing.T) {
	k, cluster := start(t)
	ends(t, cluster, "left no result: Error", "left no result")
	if len(k.pods) != 0 {
		t.Errorf("%d jobs are left", len(k.pods))
	}
	t.Run("killed for memory", func(t *testing.T) {
		var s seen
		watch := s.watch()
		watch.Progress = func(int64, int64) {
			k.mu.Lock()
			defer k.mu.Unlock()
			for _, p := range k.pods {
				p.job.Labels["test/oom"] = ""
				_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
			}
		}
		if _, err := cluster.Run(t.Context(), task(t, "sleep"), watch); !fault.Is(err, fault.TooLarge) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("refused", func(t *testing.T) {
		cluster.Image = ""
		if _, err := cluster.Run(t.Context(), task(t, "well"), runner.Watch{}); err == nil || !strings.Contains(err.Error(), "422: spec.template.spec.containers[0].image: Required value") {
			t.Errorf("got %v", err)
		}
	})
}

// TestKubernetesManifests holds the documents that an operator applies against the types of Kubernetes.
func TestKubernetesManifests(t *testing.T) {
	body, err := os.ReadFile("../../deploy/kubernetes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]func() any{
		"Namespace": func() any { return new(corev1.Namespace) }, "ServiceAccount": func() any { return new(corev1.ServiceAccount) },
		"Role": func() any { return new(rbacv1.Role) }, "RoleBinding": func() any { return new(rbacv1.RoleBinding) },
		"PersistentVolumeClaim": func() any { return new(corev1.PersistentVolumeClaim) }, "NetworkPolicy": func() any { return new(networkingv1.NetworkPolicy) },
	}
	seen := map[string]bool{}
	for d := yaml.NewDecoder(bytes.NewReader(body)); ; {
		var doc map[string]any
		if err := d.Decode(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		kind := fmt.Sprint(doc["kind"])
		text, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if types[kind] == nil {
			t.Fatalf("nobody checks a %s", kind)
		}
		if err := strict(bytes.NewReader(text), types[kind]()); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		seen[kind] = true
	}
	if len(seen) != len(types) {
		t.Errorf("only %v", seen)
	}
}
