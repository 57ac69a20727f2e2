package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"swath/fault"
)

// Config says where a cluster lives.
type Config struct {
	DataDir string       // the server's data folder, which exists; the cluster is kept in its folder "postgres"
	Log     *slog.Logger // what the supervisor does; nil is slog.Default()
}

// Cluster is a running PostgreSQL that this process owns.
type Cluster struct {
	layout
	account account
	bin     binaries
	lock    lockFile
	output  *output
	log     *slog.Logger

	stopping chan struct{} // closed by Stop
	gone     chan struct{} // closed when postgres has ended and will not be started again
	failed   error         // why postgres never became ready; read it after gone

	mu      sync.Mutex
	process *os.Process // nil between two runs
	ready   bool        // it has been ready at least once
	stopped bool
}

// Start takes the data folder, makes a cluster in it if there is none, starts it and returns when database and PostGIS
// answer. A folder that another process owns is fault.Conflict (see Join); a machine without PostgreSQL is
// fault.Unavailable with ErrNotInstalled in its chain. Whoever has started a cluster stops it.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	c := &Cluster{log: cfg.Log, stopping: make(chan struct{}), gone: make(chan struct{})}
	if c.log == nil {
		c.log = slog.Default()
	}
	begin := time.Now()
	if err := c.prepare(ctx, cfg.DataDir); err != nil {
		c.release()
		return nil, fmt.Errorf("cluster in %s: %w", cfg.DataDir, err)
	}
	go c.supervise()
	err := c.awaitReady(ctx)
	if err == nil {
		err = c.ensureDatabase(ctx)
	}
	if err == nil {
		err = c.lock.write(owner{PID: os.Getpid(), URL: c.URL()})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cluster in %s: %w", cfg.DataDir, err), c.Stop(context.WithoutCancel(ctx)))
	}
	c.log.Info("database ready", "version", c.bin.version, "postgis", c.bin.postgis, "socket", c.socket(), "dur", time.Since(begin))
	return c, nil
}

// URL returns the address of the database, good for as long as the data folder stays where it is.
func (c *Cluster) URL() string { return c.layout.url(database) }

// prepare does everything that comes before the first run.
func (c *Cluster) prepare(ctx context.Context, dataDir string) (err error) {
	if c.layout, err = layoutOf(dataDir); err != nil {
		return err
	}
	if err := os.MkdirAll(c.root, 0o711); err != nil {
		return err
	}
	if err := os.Chmod(c.root, 0o711); err != nil { // whatever the umask: a lent account passes through
		return err
	}
	if c.lock, err = acquire(c.layout.lock, dataDir); err != nil {
		return err
	}
	if c.account, err = chooseAccount(c.data); err != nil {
		return err
	}
	if err := c.account.checkReach(c.root); err != nil {
		return err
	}
	if c.output, err = openOutput(c.layout.log); err != nil {
		return err
	}
	major, err := c.majorOf()
	if err != nil {
		return err
	}
	if c.bin, err = findBinaries(ctx, places, major); err != nil {
		return err
	}
	if major == 0 {
		c.log.Info("making a new database", "folder", c.root, "version", c.bin.version)
		if err := c.initialise(ctx, c.bin, c.account); err != nil {
			return err
		}
	}
	if err := c.account.takeTree(c.data); err != nil {
		return err
	}
	if err := c.account.makeDir(c.run); err != nil {
		return err
	}
	if err := c.writeSettings(c.account); err != nil {
		return err
	}
	return c.clearStale(ctx)
}

// Stop ends the database in order: connections are closed, what was committed is written down. When that takes longer than
// half a minute, or than ctx allows, postgres is told to drop everything, which the next start recovers from.
func (c *Cluster) Stop(ctx context.Context) error {
	c.mu.Lock()
	if !c.stopped {
		c.stopped = true
		close(c.stopping)
		c.signal(syscall.SIGINT) // "fast" shutdown
	}
	c.mu.Unlock()

	patience, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for _, next := range []syscall.Signal{syscall.SIGQUIT, syscall.SIGKILL} {
		select {
		case <-c.gone:
			c.release()
			return nil
		case <-patience.Done():
		}
		c.log.Warn("postgres does not stop", "signal", next)
		c.mu.Lock()
		c.signal(next)
		c.mu.Unlock()
		var cancel context.CancelFunc // ctx is spent: the last steps have their own, short patience
		patience, cancel = context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
	}
	select {
	case <-c.gone:
		c.release()
		return nil
	case <-patience.Done():
		return fault.New(fault.Internal, "postgres in %s survives SIGKILL", c.root) // and we keep the lock
	}
}

// signal must be called with mu held.
func (c *Cluster) signal(s syscall.Signal) {
	if c.process != nil {
		_ = c.process.Signal(s) // it may have ended meanwhile, which is what we want
	}
}

// release gives up the data folder; it may be called again.
func (c *Cluster) release() {
	if c.output != nil {
		c.output.close()
	}
	if c.lock.file != nil {
		c.lock.release()
	}
}
