package processes

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"swath/auth"
	"swath/chains"
	"swath/fault"
	"swath/ingest"
	"swath/processes/cwl"
	"swath/stac"
)

// Deployment is a package as somebody deploys it.
type Deployment struct {
	Document []byte // CWL
	Workflow string // the process of the document that runs; empty where there is one
}

// ErrDuplicated is the failure of deploying a process that is there, ErrImmutable that of changing one that came with this program.
var (
	ErrDuplicated = &fault.Error{Kind: fault.Conflict, Public: "there is a process of this id; replace it with PUT"}
	ErrImmutable  = &fault.Error{Kind: fault.Forbidden, Public: "this process came with the program and can't be changed"}
)

// Deploy makes a process of a package. It returns ErrDuplicated when there is one of its id.
func (e *Engine) Deploy(ctx context.Context, d Deployment) (chains.Chain, error) {
	return e.deploy(ctx, "", d)
}

// Replace deploys another version of a process; jobs that were accepted before run the version they were accepted with.
func (e *Engine) Replace(ctx context.Context, id string, d Deployment) (chains.Chain, error) {
	if err := e.changeable(ctx, id); err != nil {
		return chains.Chain{}, err
	}
	return e.deploy(ctx, id, d)
}

// deploy stores a package; replaced is the id of the one whose place it takes, or empty.
func (e *Engine) deploy(ctx context.Context, replaced string, d Deployment) (chains.Chain, error) {
	if err := e.mayDeploy(ctx); err != nil {
		return chains.Chain{}, err
	}
	p, err := cwl.Parse(d.Document, d.Workflow)
	if err != nil {
		return chains.Chain{}, err
	}
	switch {
	case p.ID == "":
		return chains.Chain{}, fault.New(fault.Invalid, "the package has no id: its workflow must have one")
	case replaced != "" && p.ID != replaced:
		return chains.Chain{}, fault.New(fault.Invalid, "the package is called %q, not %q", p.ID, replaced)
	}
	chain, err := p.Chain(*e.cfg.Packages)
	if err != nil {
		return chains.Chain{}, err
	}
	if e.builtIn(p.ID) {
		return chains.Chain{}, ErrDuplicated
	}
	err = pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		if replaced == "" {
			return e.insertPackage(ctx, tx, p, d)
		}
		if _, err := tx.Exec(ctx, "update package set live = false where id = $1 and live", p.ID); err != nil {
			return err
		}
		return e.putPackage(ctx, tx, p, d)
	})
	var answer *pgconn.PgError
	if errors.As(err, &answer) && answer.ConstraintName == "package_live" { // somebody was quicker
		return chains.Chain{}, ErrDuplicated
	} else if err != nil {
		return chains.Chain{}, jobsErr("package", err)
	}
	return chain, nil
}

// insertPackage stores a package whose id nobody has. What it makes goes into a collection of that name, which must not be another's.
func (e *Engine) insertPackage(ctx context.Context, tx pgx.Tx, p *cwl.Package, d Deployment) error {
	var known, live, own bool
	who := auth.From(ctx)
	err := tx.QueryRow(ctx, "select count(*) > 0, coalesce(bool_or(live), false), coalesce(bool_or(owner = $2), false) from package where id = $1", p.ID, who.User).Scan(&known, &live, &own)
	switch {
	case err != nil:
		return err
	case live:
		return ErrDuplicated
	case known && !own && who.Require(auth.Operator) != nil:
		return fault.New(fault.Forbidden, "a process %q of another account was here: its results are in the collection of this name", p.ID)
	case known:
		return e.putPackage(ctx, tx, p, d)
	}
	taken := slices.ContainsFunc(e.cfg.List(), func(c chains.Chain) bool { return c.Collection == p.ID }) || ingest.KnowsCollection(p.ID)
	if !taken {
		_, err := e.cfg.Catalog.Collection(stac.WithScope(ctx, stac.Scope{}), p.ID) // also those that are hidden from the one who asks
		if taken = err == nil; err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	if taken {
		return fault.New(fault.Conflict, "a collection has the name %q, or may have it: results of the package would mix with it", p.ID)
	}
	return e.putPackage(ctx, tx, p, d)
}

// putPackage stores a version, or makes one live again.
func (e *Engine) putPackage(ctx context.Context, tx pgx.Tx, p *cwl.Package, d Deployment) error {
	_, err := tx.Exec(ctx, `insert into package (id, version, document, workflow, owner) values ($1, $2, $3, $4, $5)
		on conflict (id, version) do update set live = true, workflow = excluded.workflow, owner = excluded.owner, deployed = now()`,
		p.ID, p.Version, d.Document, d.Workflow, auth.From(ctx).User)
	return err
}

// Undeploy takes a process away. Jobs that were accepted before still run.
func (e *Engine) Undeploy(ctx context.Context, id string) error {
	err := e.changeable(ctx, id)
	if err == nil {
		_, err = e.pool.Exec(ctx, "update package set live = false where id = $1 and live", id)
	}
	return jobsErr("package", err)
}

// Package returns the document of a deployed process.
func (e *Engine) Package(ctx context.Context, id string) (d Deployment, err error) {
	err = e.pool.QueryRow(ctx, "select document, workflow from package where id = $1 and live", id).Scan(&d.Document, &d.Workflow)
	if errors.Is(err, pgx.ErrNoRows) {
		if e.builtIn(id) {
			return d, fault.New(fault.NotFound, "the process %q has no package: it came with the program", id)
		}
		return d, noProcess(id)
	}
	return d, jobsErr("package", err)
}

// Mutable reports whether a process was deployed, and may be replaced.
func (e *Engine) Mutable(id string) bool { return !e.builtIn(id) }

// mayDeploy returns nil when the one who asks may deploy packages here.
func (e *Engine) mayDeploy(ctx context.Context) error {
	if err := auth.From(ctx).Require(auth.Centre); err != nil {
		return err
	}
	if e.cfg.Packages == nil {
		return fault.New(fault.Invalid, "this installation runs no packages: it has no cwltool or no bubblewrap")
	}
	return nil
}

// changeable returns nil when the one who asks may replace or take away a process: its owner and operators may.
func (e *Engine) changeable(ctx context.Context, id string) error {
	if err := e.mayDeploy(ctx); err != nil {
		return err
	}
	if e.builtIn(id) {
		return ErrImmutable
	}
	var owner string
	err := e.pool.QueryRow(ctx, "select owner from package where id = $1 and live", id).Scan(&owner)
	if errors.Is(err, pgx.ErrNoRows) {
		return noProcess(id)
	} else if err != nil {
		return jobsErr("package", err)
	}
	if who := auth.From(ctx); owner != who.User && who.Require(auth.Operator) != nil {
		return fault.New(fault.Forbidden, "the process %q was deployed by another account", id)
	}
	return nil
}

func noProcess(id string) error { return fault.New(fault.NotFound, "there is no process %.60q", id) }

// builtIn reports whether a process came with the program.
func (e *Engine) builtIn(id string) bool {
	for _, c := range e.cfg.List() {
		if c.ID == id {
			return true
		}
	}
	return false
}

// deployed returns the packages that can be run: of one id, or all.
func (e *Engine) deployed(ctx context.Context, id string) ([]chains.Chain, error) {
	if e.cfg.Packages == nil {
		return nil, nil
	}
	rows, _ := e.pool.Query(ctx, "select id, version, workflow from package where live and ($1 = '' or id = $1) order by id", id)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[packageKey])
	if err != nil {
		return nil, jobsErr("package", err)
	}
	all := make([]chains.Chain, len(found))
	for i, k := range found {
		if all[i], err = e.parsed(ctx, k); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// packageKey names a version of a package: what it describes follows from it.
type packageKey struct{ ID, Version, Workflow string }

// mostParsed bounds how many packages are kept as chains.
const mostParsed = 1000

// parsed returns the chain of a package, which is read once.
func (e *Engine) parsed(ctx context.Context, k packageKey) (chains.Chain, error) {
	e.packages.Lock()
	chain, known := e.packages.chains[k]
	e.packages.Unlock()
	if known {
		return chain, nil
	}
	d := Deployment{Workflow: k.Workflow}
	if err := e.pool.QueryRow(ctx, "select document from package where id = $1 and version = $2", k.ID, k.Version).Scan(&d.Document); err != nil {
		return chains.Chain{}, jobsErr("package", err)
	}
	chain, err := e.chainOf(d)
	if err != nil {
		return chains.Chain{}, err
	}
	e.packages.Lock()
	defer e.packages.Unlock()
	if e.packages.chains == nil || len(e.packages.chains) >= mostParsed {
		e.packages.chains = map[packageKey]chains.Chain{}
	}
	e.packages.chains[k] = chain
	return chain, nil
}

// chainOf makes a chain of a package that was taken before.
func (e *Engine) chainOf(d Deployment) (chains.Chain, error) {
	p, err := cwl.Parse(d.Document, d.Workflow)
	if err != nil {
		return chains.Chain{}, fmt.Errorf("processes: stored package: %w", err)
	}
	return p.Chain(*e.cfg.Packages)
}

// pinned returns the chain of a job in the version that it was accepted with, and its package where it is one.
func (e *Engine) pinned(ctx context.Context, process, version string) (chains.Chain, *Deployment, error) {
	for _, c := range e.cfg.List() {
		if c.ID != process {
			continue
		}
		if c.Version != version {
			return c, nil, fault.New(fault.Conflict, "the process %q is version %s now; the job asked for %s", process, c.Version, version)
		}
		return c, nil, nil
	}
	var d Deployment
	err := e.pool.QueryRow(ctx, "select document, workflow from package where id = $1 and version = $2", process, version).Scan(&d.Document, &d.Workflow)
	if errors.Is(err, pgx.ErrNoRows) {
		return chains.Chain{}, nil, noProcess(process)
	} else if err != nil {
		return chains.Chain{}, nil, jobsErr("package", err)
	}
	if e.cfg.Packages == nil {
		return chains.Chain{}, nil, fault.New(fault.Unavailable, "this worker runs no packages")
	}
	chain, err := e.chainOf(d)
	return chain, &d, err
}
