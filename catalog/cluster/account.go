package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"swath/fault"
)

// account is whom postgres runs as. PostgreSQL refuses to run as root, so root lends it an unprivileged account.
type account struct {
	uid, gid int
	lent     bool // it is not our own
}

// chooseAccount returns our own account or, for root, the owner of an existing cluster, else "postgres", else "nobody".
func chooseAccount(dataDir string) (account, error) {
	owner, exists := ownerOf(dataDir)
	if os.Geteuid() != 0 {
		self := account{uid: os.Geteuid(), gid: os.Getegid()}
		if exists && owner.uid != self.uid {
			return account{}, fault.New(fault.Forbidden, "the database in %s belongs to user id %d: start as that user, or as root", dataDir, owner.uid)
		}
		return self, nil
	}
	if exists && owner.uid != 0 {
		return owner, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, errU := strconv.Atoi(u.Uid)
			gid, errG := strconv.Atoi(u.Gid)
			return account{uid: uid, gid: gid, lent: true}, errors.Join(errU, errG)
		}
	}
	return account{}, fault.New(fault.Unavailable, "PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as")
}

func ownerOf(path string) (account, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return account{}, false
	}
	stat := info.Sys().(*syscall.Stat_t)
	return account{uid: int(stat.Uid), gid: int(stat.Gid), lent: true}, true
}

// credential is what a child process is started with; nil means our own.
func (a account) credential() *syscall.Credential {
	if !a.lent {
		return nil
	}
	return &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid), Groups: []uint32{}}
}

// makeDir creates a folder that the account alone may use, if it is missing, and checks one that is there: a link, or
// somebody else's folder in a shared place, is refused.
func (a account) makeDir(path string) error {
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	if !info.IsDir() || (owner != a.uid && owner != os.Geteuid()) {
		return fault.New(fault.Forbidden, "%s is not a folder of user id %d", path, a.uid)
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return err
	}
	if a.lent && owner != a.uid {
		return os.Lchown(path, a.uid, a.gid)
	}
	return nil
}

// takeTree gives a whole tree to the account, when root finds one of its own: a copy or a restored backup.
func (a account) takeTree(root string) error {
	owner, exists := ownerOf(root)
	if !exists || !a.lent || owner.uid == a.uid {
		return nil
	}
	return filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, a.uid, a.gid)
	})
}

// checkReach names the first folder on the way to dir that the account may not pass through.
func (a account) checkReach(dir string) error {
	if !a.lent {
		return nil
	}
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		if err != nil {
			return fmt.Errorf("way to %s: %w", dir, err)
		}
		stat, pass := info.Sys().(*syscall.Stat_t), os.FileMode(0o001)
		switch {
		case int(stat.Uid) == a.uid:
			pass = 0o100
		case int(stat.Gid) == a.gid:
			pass = 0o010
		}
		if info.Mode().Perm()&pass == 0 {
			return fault.New(fault.Forbidden, "PostgreSQL runs as user id %d and may not pass through %s: put the data folder elsewhere, or run chmod o+x %s", a.uid, at, at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}
