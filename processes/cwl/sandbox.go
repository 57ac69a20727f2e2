package cwl

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// sandbox puts a command line into bubblewrap: namespaces of its own for files, processes, network, users and host name, no
// capabilities, and a root of the system's programs, cwltool's folder, the inputs (all read only) and the two folders of the workspace.
func (r *run) sandbox(tool string, g *group, args []string) ([]string, error) {
	bwrap, err := exec.LookPath("bwrap")
	if err != nil {
		return nil, fmt.Errorf("cwl: packages need bubblewrap: %w", err)
	}
	users := filepath.Join(r.ws.Scratch, "passwd")
	if err := os.WriteFile(users, []byte("nobody:x:65534:65534:nobody:/tmp:/usr/sbin/nologin\n"), 0o644); err != nil { //nolint:gosec // no secret
		return nil, fmt.Errorf("cwl: %w", err)
	}
	line := append(g.enter(), r.limits(len(g.folders) > 0)...)
	line = append(line, bwrap, "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session", "--hostname", "process",
		"--uid", "65534", "--gid", "65534", "--cap-drop", "ALL", "--clearenv",
		"--setenv", "PATH", filepath.Dir(tool)+":/usr/bin:/bin", "--setenv", "HOME", "/tmp", "--setenv", "TMPDIR", "/tmp", "--setenv", "LC_ALL", "C.UTF-8",
		"--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/sbin", "/sbin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
		"--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--ro-bind-try", "/etc/alternatives", "/etc/alternatives", "--ro-bind", users, "/etc/passwd",
		"--proc", "/proc", "--dev", "/dev", "--size", strconv.Itoa(64<<20), "--tmpfs", "/tmp")
	if home := filepath.Dir(filepath.Dir(tool)); home != "/usr" { // a virtual environment
		line = append(line, "--ro-bind", home, home)
	}
	line = append(line, "--bind", r.ws.Scratch, r.ws.Scratch, "--bind", r.ws.Out, r.ws.Out)
	for _, path := range r.seen {
		line = append(line, "--ro-bind", path, path)
	}
	return append(append(line, "--chdir", r.ws.Scratch, "--"), args...), nil
}

// limits bound each process by itself; where there is a control group, only what that does not.
func (r *run) limits(grouped bool) []string {
	line := []string{"prlimit", "--core=0", "--fsize=" + strconv.FormatInt(20<<30, 10), "--nofile=1024"}
	if !grouped {
		line = append(line, "--as="+strconv.FormatInt(int64(r.MemoryMiB)<<20, 10), "--nproc=512")
	}
	return line
}
