package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"swath/fault"
)

// majorOf returns the major version that made the cluster, or 0 when there is no cluster yet.
func (l layout) majorOf() (int, error) {
	text, err := os.ReadFile(filepath.Join(l.data, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(l.data); err == nil {
			return 0, fault.New(fault.Conflict, "%s exists and is not a PostgreSQL cluster (it has no PG_VERSION): move it away", l.data)
		}
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fault.New(fault.Conflict, "%s was made by PostgreSQL %q, which is too old or unknown", l.data, strings.TrimSpace(string(text)))
	}
	return major, nil
}

// initialise makes a cluster under a temporary name and renames it when it is complete and on disk, so that a killed
// start leaves nothing that looks like one. The name is new each time: an initdb whose parent was killed goes on for a moment.
func (l layout) initialise(ctx context.Context, b binaries, a account) error {
	l.sweepDrafts()
	defer l.sweepDrafts()
	draft, err := os.MkdirTemp(filepath.Dir(l.data), filepath.Base(l.data)+".new-")
	if err != nil {
		return err
	}
	if err := a.makeDir(draft); err != nil {
		return err
	}
	cmd := a.command(ctx, filepath.Join(b.dir, "initdb"), "-D", draft, "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-k", "--no-sync", "--no-instructions")
	cmd.Dir = draft
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(string(out)))
	}
	conf, err := os.OpenFile(filepath.Join(draft, "postgresql.conf"), os.O_WRONLY|os.O_APPEND|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	_, err = conf.WriteString(include)
	if err == nil {
		err = unix.Syncfs(int(conf.Fd()))
	}
	if err := errors.Join(err, conf.Close()); err != nil {
		return err
	}
	return os.Rename(draft, l.data)
}

// sweepDrafts removes clusters that were never completed. One in which an initdb still writes may stay: nothing reads it.
func (l layout) sweepDrafts() {
	drafts, _ := filepath.Glob(l.data + ".new*") // the pattern is sound
	for _, draft := range drafts {
		os.RemoveAll(draft) //nolint:errcheck // see above
	}
}

// command prepares a child that runs as the account, apart from our terminal, and in an environment that no PG* variable
// of ours can change.
func (a account) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "LC_MESSAGES=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: a.credential(), Setpgid: true}
	return cmd
}
