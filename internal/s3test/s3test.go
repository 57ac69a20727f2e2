// Package s3test starts a real S3 server for a test.
//
//	Start(t) ─▶ versitygw on a free loopback port, an empty bucket in t.TempDir ─▶ Server ─▶ killed when t ends
package s3test

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// Server is a running S3 server with one bucket; it wants path style.
type Server struct {
	Endpoint  string // http://127.0.0.1:port
	Region    string
	Bucket    string
	AccessKey string
	SecretKey string
}

const (
	howToGet = "no S3 server: GOBIN=<repository>/bin go install github.com/versity/versitygw/cmd/versitygw@v1.8.0, or name the program in SWATH_VERSITYGW"
	attempts = 5 // another process may take the port that was free a moment ago
	patience = 20 * time.Second
)

// Start returns a server that lives as long as the test. Without the program the test is skipped, or fails when
// SWATH_TEST_REQUIRE_ALL=1.
func Start(t testing.TB) Server {
	t.Helper()
	program := find()
	if program == "" && os.Getenv("SWATH_TEST_REQUIRE_ALL") == "1" {
		t.Fatal(howToGet)
	} else if program == "" {
		t.Skip(howToGet)
	}
	var log bytes.Buffer
	for range attempts {
		log.Reset()
		if s, ok := start(t, program, &log); ok {
			return s
		}
	}
	t.Fatalf("%s does not start:\n%s", program, log.String())
	return Server{}
}

// find looks in $SWATH_VERSITYGW, in bin/ of the repository, and in $PATH.
func find() string {
	if p := os.Getenv("SWATH_VERSITYGW"); p != "" {
		return p
	}
	dir, _ := os.Getwd() // tests run in their package's folder
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err != nil {
			continue
		}
		if p, err := exec.LookPath(filepath.Join(dir, "bin", "versitygw")); err == nil {
			return p
		}
		break
	}
	p, _ := exec.LookPath("versitygw")
	return p
}

// start reports false when the server ended before it answered.
func start(t testing.TB, program string, log *bytes.Buffer) (Server, bool) {
	s := Server{Region: "us-east-1", Bucket: "swath-test", AccessKey: "test", SecretKey: "test-secret"}
	address := freeAddress(t)
	s.Endpoint = "http://" + address
	root := t.TempDir() // on a file system with extended attributes, where the server keeps what files don't say
	if err := os.Mkdir(filepath.Join(root, s.Bucket), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--port", address, "--quiet", "--keep-alive", "posix", root)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+s.AccessKey, "ROOT_SECRET_KEY="+s.SecretKey)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // also when the test process is killed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // killed, or the log says why
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		<-ended
	})
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		select {
		case <-ended:
			return Server{}, false
		default:
		}
		if resp, err := http.Get(s.Endpoint); err == nil {
			resp.Body.Close()
			return s, true
		}
	}
	t.Fatalf("%s does not answer after %s", program, patience)
	return Server{}, false
}

func freeAddress(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
