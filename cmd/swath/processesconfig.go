package main

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"swath/objects"
	"swath/processes"
)

// Processes is how jobs are run.
type Processes struct {
	Workers   int               `yaml:"workers"`    // jobs at once in one server or worker; 0: this server takes jobs, and others run them
	MemoryMiB int               `yaml:"memory_mib"` // that its jobs may take together; 0: any
	Keep      time.Duration     `yaml:"keep"`       // of results and logs
	Folders   map[string]string `yaml:"folders"`    // that requests may name as inputs, such as dem: /data/dem
	Buckets   map[string]Bucket `yaml:"buckets"`    // the same, filled as jobs need it
	Strangers *bool             `yaml:"strangers"`  // those without an account may run processes; unless said, where no accounts and no public_url are configured
	Waiting   int               `yaml:"waiting"`    // jobs that one account may have waiting and running, where it has no quota
	Running   int               `yaml:"running"`    // jobs that one account may have running; 0: any

	UploadMiB  int `yaml:"upload_mib"`  // of files that come with one job
	UploadsMiB int `yaml:"uploads_mib"` // and with all jobs that one account has waiting and running, where it has no quota

	Executor      string         `yaml:"executor"` // what runs jobs: local, slurm or kubernetes
	Slurm         Slurm          `yaml:"slurm"`
	Kubernetes    Kubernetes     `yaml:"kubernetes"`
	Packages      Packages       `yaml:"packages"`
	Reach         []netip.Prefix `yaml:"reach"`           // networks that jobs may ask for files, and tell of their end, though they are not public
	PlainHTTP     bool           `yaml:"plain_http"`      // not only https may be asked
	CallSecretEnv string         `yaml:"call_secret_env"` // environment variable that holds what signs calls to subscribers; empty: they are not signed
}

// defaultProcesses uses half of the machine, so that requests are answered beside the jobs.
func defaultProcesses() Processes {
	return Processes{Workers: max(1, runtime.NumCPU()/2), Keep: 30 * 24 * time.Hour, Waiting: 1000, UploadMiB: 1024, UploadsMiB: 10240,
		Executor: "local", Kubernetes: defaultKubernetes(), Packages: Packages{DiskMiB: 20480, PIDs: 512}}
}

// mistakes names every mistake with its key.
func (p Processes) mistakes() (wrong []string) {
	bad := func(key, format string, args ...any) {
		wrong = append(wrong, "processes."+key+": "+fmt.Sprintf(format, args...))
	}
	for _, n := range []struct {
		key   string
		value int
		least int
	}{{"workers", p.Workers, 0}, {"memory_mib", p.MemoryMiB, 0}, {"running", p.Running, 0}, {"waiting", p.Waiting, 1}, {"upload_mib", p.UploadMiB, 4}, {"uploads_mib", p.UploadsMiB, 1}} {
		if n.value < n.least {
			bad(n.key, "must be at least %d", n.least)
		}
	}
	if p.Keep < time.Hour {
		bad("keep", "must be at least an hour")
	}
	if p.CallSecretEnv != "" && len(os.Getenv(p.CallSecretEnv)) < 16 {
		bad("call_secret_env", "the environment variable %s holds fewer than 16 characters", p.CallSecretEnv)
	}
	for name, path := range p.Folders {
		if info, err := os.Stat(path); err != nil || !info.IsDir() || !filepath.IsAbs(path) {
			bad("folders."+name, "%q is not a folder's absolute path", path)
		}
	}
	for name, b := range p.Buckets {
		if _, twice := p.Folders[name]; twice {
			bad("buckets."+name, "is also one of processes.folders")
		}
		if last := path.Base(b.Key); b.Bucket == "" || !strings.Contains(last, "{lat}") || !strings.Contains(last, "{lon}") {
			bad("buckets."+name, "needs a bucket, and a key whose file name has {lat} and {lon} in it, such as {lat}{lon}.tif")
		}
		if b.AccessKey != "" && os.Getenv(b.SecretEnv) == "" {
			bad("buckets."+name, "the environment variable %q of secret_env is empty", b.SecretEnv)
		}
	}
	p.executorMistakes(bad)
	return wrong
}

// mostUpload is how large the body of an execution may be, bytes.
func (p Processes) mostUpload() int64 { return int64(p.UploadMiB) << 20 }

// Bucket holds a file for each degree of the world, as height models do.
type Bucket struct {
	Bucket    string `yaml:"bucket"`
	Key       string `yaml:"key"`      // with {lat} and {lon}: N43 and E001, of the south-western corner
	Endpoint  string `yaml:"endpoint"` // empty: the region's own at AWS
	Region    string `yaml:"region"`
	AccessKey string `yaml:"access_key"` // empty: anonymous
	SecretEnv string `yaml:"secret_env"` // environment variable that holds the secret key
}

// folders are those on the disk and those of buckets, which lie below a folder.
func (p Processes) folders(below string) map[string]processes.Folder {
	all := map[string]processes.Folder{}
	for name, path := range p.Folders {
		all[name] = processes.Folder{Path: path}
	}
	for name, b := range p.Buckets {
		from := objects.OpenRemote(objects.S3Config{Endpoint: b.Endpoint, Region: b.Region, AccessKey: b.AccessKey,
			SecretKey: objects.Secret(os.Getenv(b.SecretEnv)), PathStyle: b.Endpoint != ""})
		all[name] = processes.Folder{Path: filepath.Join(below, url.PathEscape(name)), Cells: &processes.Cells{From: from, Bucket: b.Bucket, Key: b.Key}}
	}
	return all
}

// strangers says whether those without an account may run processes.
func (c Config) strangers() bool {
	if c.Processes.Strangers != nil {
		return *c.Processes.Strangers
	}
	return !c.Accounts.used() && c.PublicURL == ""
}
