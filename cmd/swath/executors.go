package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"

	"swath/processes/cwl"
	"swath/processes/runner"
)

// Packages is how the processings of users are run.
type Packages struct {
	Tool    string `yaml:"cwltool"`  // path of cwltool; empty: found by PATH
	DiskMiB int    `yaml:"disk_mib"` // what a run may write
	PIDs    int    `yaml:"pids"`     // processes and threads of a run
}

// tool returns what runs packages; nil where cwltool or bubblewrap is missing, and none are taken.
func (p Packages) tool() *cwl.Tool {
	path := p.Tool
	if path == "" {
		path = "cwltool"
	}
	path, err := exec.LookPath(path)
	if err != nil {
		return nil
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil
	}
	if _, err := exec.LookPath("bwrap"); err != nil {
		return nil
	}
	return &cwl.Tool{Path: path, DiskMiB: p.DiskMiB, MostPIDs: p.PIDs}
}

// Slurm is how jobs reach a Slurm cluster.
type Slurm struct {
	Options []string `yaml:"options"` // of sbatch, such as --partition=short
}

// Kubernetes is how jobs reach a Kubernetes cluster. What is empty is as it is in a pod of that cluster.
type Kubernetes struct {
	API       string            `yaml:"api"`
	CAFile    string            `yaml:"ca_file"`
	TokenFile string            `yaml:"token_file"`
	Namespace string            `yaml:"namespace"`
	Image     string            `yaml:"image"`
	Claim     string            `yaml:"claim"`
	Mount     string            `yaml:"mount"`
	User      int64             `yaml:"user"`
	Nodes     map[string]string `yaml:"nodes"`
}

const podSecrets = "/var/run/secrets/kubernetes.io/serviceaccount/"

// defaultKubernetes is what a pod that deploy/kubernetes.yaml describes sees.
func defaultKubernetes() Kubernetes {
	return Kubernetes{API: "https://kubernetes.default.svc", CAFile: podSecrets + "ca.crt", TokenFile: podSecrets + "token", Namespace: "swath",
		Claim: "swath-data", Mount: "/data", User: int64(os.Getuid())}
}

// mistakes of the choice of an executor.
func (p Processes) executorMistakes(bad func(key, format string, args ...any)) {
	switch p.Executor {
	case "local":
	case "slurm":
		if _, err := exec.LookPath("sbatch"); err != nil {
			bad("executor", "slurm needs its commands: %v", err)
		}
	case "kubernetes":
		for key, value := range map[string]string{"api": p.Kubernetes.API, "namespace": p.Kubernetes.Namespace, "image": p.Kubernetes.Image, "claim": p.Kubernetes.Claim, "mount": p.Kubernetes.Mount} {
			if value == "" {
				bad("kubernetes."+key, "is needed")
			}
		}
		if p.Kubernetes.User == 0 {
			bad("kubernetes.user", "pods do not run as root: name the user that the data folder belongs to")
		}
	default:
		bad("executor", "%q is neither local, slurm nor kubernetes", p.Executor)
	}
	if p.Packages.Tool != "" && p.Packages.tool() == nil {
		bad("packages.cwltool", "%q can't be run, or bubblewrap is missing", p.Packages.Tool)
	}
	for key, value := range map[string]int{"disk_mib": p.Packages.DiskMiB, "pids": p.Packages.PIDs} {
		if value < 1 {
			bad("packages."+key, "must be at least 1")
		}
	}
}

// executor returns what runs jobs.
func (p Processes) executor() (runner.Executor, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("processes: %w", err)
	}
	command := []string{self, "runner"}
	switch p.Executor {
	case "slurm":
		return runner.Slurm{Command: command, Options: p.Slurm.Options}, nil
	case "kubernetes":
		k := p.Kubernetes
		client := &http.Client{}
		if k.CAFile != "" {
			pem, err := os.ReadFile(k.CAFile)
			if err != nil {
				return nil, fmt.Errorf("processes: %w", err)
			}
			roots := x509.NewCertPool()
			if !roots.AppendCertsFromPEM(pem) {
				return nil, fmt.Errorf("processes: %s has no certificate", k.CAFile)
			}
			client.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
		}
		return runner.Kubernetes{API: k.API, Client: client, TokenFile: k.TokenFile, Namespace: k.Namespace, Image: k.Image, Command: []string{"swath", "runner"},
			Claim: k.Claim, Mount: k.Mount, User: k.User, Nodes: k.Nodes}, nil
	}
	return runner.Local{Command: command}, nil
}
