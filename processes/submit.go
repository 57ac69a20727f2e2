package processes

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"swath/auth"
	"swath/chains"
	"swath/fault"
)

//go:embed sql/insert.sql
var insertSQL string

// Plan says what a request would cost, without doing anything.
func (e *Engine) Plan(ctx context.Context, process string, r Request) (Plan, error) {
	_, _, p, err := e.plan(ctx, process, r)
	return p, err
}

// plan checks a request and resolves its inputs.
func (e *Engine) plan(ctx context.Context, process string, r Request) (chains.Chain, map[string]bound, Plan, error) {
	chain, err := e.Process(ctx, process)
	if err == nil {
		err = e.May(ctx)
	}
	if err == nil {
		err = r.check(chain)
	}
	if err != nil {
		return chain, nil, Plan{}, err
	}
	inputs, err := e.bind(ctx, chain, r)
	if err != nil {
		return chain, nil, Plan{}, err
	}
	if err := e.confine(chain, r, collectionsOf(inputs)); err != nil {
		return chain, nil, Plan{}, err
	}
	p := Plan{Process: chain.ID, Version: chain.Version, MemoryMiB: chain.MemoryMiB, Minutes: chain.Minutes}
	if most := e.cfg.MemoryMiB; most > 0 && chain.MemoryMiB > most {
		return chain, nil, p, fault.New(fault.TooLarge, "the process %q takes %d MiB of memory; jobs have %d MiB here", chain.ID, chain.MemoryMiB, most)
	}
	for _, f := range chain.Inputs {
		for _, s := range inputs[f.Name].Sources {
			if s.Item != nil {
				p.Items = append(p.Items, *s.Item)
			}
			for _, file := range s.files() {
				p.Bytes += file.Bytes
				if cold, err := e.cold(ctx, file); err != nil {
					return chain, nil, p, err
				} else if cold {
					p.StageBytes += file.Bytes
				}
			}
			p.Bytes += int64(len(s.Data))
			if s.Upload != nil {
				p.Bytes += s.Upload.bytes()
			}
		}
	}
	if most := auth.From(ctx).Quotas.StagedBytes; most > 0 && p.StageBytes > most {
		return chain, nil, p, fault.New(fault.OverQuota, "the inputs have %d bytes on cold storage; the account may have %d brought from there in a day", p.StageBytes, most)
	}
	return chain, inputs, p, nil
}

// files are the objects that a source has.
func (s source) files() []PinnedFile {
	switch {
	case s.Item != nil:
		return s.Item.Files
	case s.Object != nil:
		return []PinnedFile{*s.Object}
	}
	return nil
}

// collectionsOf returns the collections that inputs come from, each once.
func collectionsOf(inputs map[string]bound) (all []string) {
	for _, p := range productsOf(inputs) {
		all = append(all, p.Collection)
	}
	for _, b := range inputs {
		for _, s := range b.Sources {
			all = append(all, s.Of...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// confine refuses items made of what not everybody may know of who may know of them: they would be in the chain's collection for all to see.
func (e *Engine) confine(chain chains.Chain, r Request, from []string) error {
	items := slices.ContainsFunc(chain.Outputs, func(f chains.Field) bool { return f.Kind == chains.AnItem && r.wants(f.Name) })
	if !items || e.cfg.Exposed == nil {
		return nil
	}
	exposed := e.cfg.Exposed(from, chain.Collection)
	if len(exposed) == 0 {
		return nil
	}
	private := strings.Join(exposed, ", ")
	return fault.New(fault.Forbidden, "inputs are of private collections (%s), and the items that %s makes go into the collection %s, which others may see: an operator can make it private too, granted to "+
		"no more than these are, or the request can name other outputs alone", private, chain.ID, chain.Collection)
}

// wants reports whether a request asks for an output.
func (r Request) wants(output string) bool {
	_, asked := r.Outputs[output]
	return asked || len(r.Outputs) == 0
}

// check refuses what a request says of its outputs when it makes no sense.
func (r Request) check(chain chains.Chain) error {
	for name, asked := range r.Outputs {
		if _, ok := chain.Output(name); !ok {
			return fault.New(fault.Invalid, "output %q: the process %q has none of this name", name, chain.ID)
		}
		if asked.Transmission != "" && asked.Transmission != "value" && asked.Transmission != "reference" {
			return fault.New(fault.Invalid, "output %q: transmissionMode is neither value nor reference", name)
		}
	}
	if r.Response != "" && r.Response != "raw" && r.Response != "document" {
		return fault.New(fault.Invalid, "response is neither raw nor document")
	}
	if r.Priority < 0 || r.Priority > 4 {
		return fault.New(fault.Invalid, "priority is 1 to 4")
	}
	return nil
}

// priority is what a request asks, within what the role may: only thematic centres and operators go before others.
func priority(asked int, role auth.Role) int {
	first := 3
	switch {
	case role >= auth.Operator:
		first = 1
	case role >= auth.Centre:
		first = 2
	}
	if asked == 0 {
		asked = 3
	}
	return max(asked, first)
}

// Submit takes a job. When it returns, the job is stored, and will end in one of its states whatever happens to this process.
func (e *Engine) Submit(ctx context.Context, process string, r Request) (Job, error) {
	return e.submit(ctx, process, r, "", nil)
}

// submit takes a job, of a subscription perhaps; with is done in the transaction that stores it.
func (e *Engine) submit(ctx context.Context, process string, r Request, subscription string, with func(tx pgx.Tx, job string) error) (Job, error) {
	chain, inputs, p, err := e.plan(ctx, process, r)
	if err != nil {
		return Job{}, err
	}
	if _, err := e.calls(r.Subscriber); err != nil {
		return Job{}, err
	}
	return e.insert(ctx, chain, r, inputs, p, subscription, with)
}

// call is one address to tell of an event.
type call struct{ event, url string }

func (e *Engine) insert(ctx context.Context, chain chains.Chain, r Request, inputs map[string]bound, p Plan, subscription string, with func(tx pgx.Tx, job string) error) (Job, error) {
	who := auth.From(ctx)
	id, err := uuid.NewV7()
	if err != nil {
		return Job{}, err
	}
	request, err := json.Marshal(r.told())
	if err != nil {
		return Job{}, fault.New(fault.Invalid, "the request is not JSON: %v", err)
	}
	forget, err := e.keepUploads(ctx, id.String(), chain, inputs)
	if err != nil {
		return Job{}, err
	}
	kept, err := json.Marshal(inputs)
	if err != nil {
		return Job{}, err
	}
	var j Job
	err = pgx.BeginFunc(ctx, e.pool, func(tx pgx.Tx) error {
		if err := e.admit(ctx, tx, who); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, insertSQL, pgx.NamedArgs{"id": id.String(), "process": chain.ID, "version": chain.Version, "owner": who.User,
			"priority": priority(r.Priority, who.Role), "request": request, "inputs": kept, "subscription": subscription,
			"memory": chain.MemoryMiB, "minutes": chain.Minutes, "bytes": p.Bytes})
		if j, err = pgx.CollectExactlyOneRow(rows, scanJob); err != nil || with == nil {
			return err
		}
		return with(tx, j.ID)
	})
	if err != nil {
		forget()
		return Job{}, jobsErr("submit", err)
	}
	return j, nil
}

// admit refuses a job of an owner who has as many as there may be. Jobs of one owner are counted one after the other.
func (e *Engine) admit(ctx context.Context, tx pgx.Tx, who auth.Principal) error {
	most := who.Quotas.Jobs
	if most == 0 {
		most = e.cfg.Waiting
	}
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtextextended('job of ' || $1, 0))", who.User); err != nil {
		return err
	}
	var have int
	if err := tx.QueryRow(ctx, "select count(*) from job where owner = $1 and status in ('accepted', 'running')", who.User).Scan(&have); err != nil {
		return err
	}
	if have >= most {
		return &fault.Error{Kind: fault.OverQuota, Public: fmt.Sprintf("%d jobs are waiting or running; there may be %d", have, most), After: time.Minute}
	}
	return nil
}
