package auth

import (
	"context"
	"reflect"
	"sync"

	"swath/stac"
)

// policy is which collections are private at one moment, and whom they are shown. It is not changed.
type policy struct {
	private []Private
	scopes  sync.Map // stac.Scope by viewer
}

// viewer is what a scope depends on.
type viewer struct {
	user string
	role Role
}

// Refresh reads what is private. Until then, and when it fails, what was known before is obeyed.
func (k *Keeper) Refresh(ctx context.Context) error {
	private, err := k.accounts.Privates(ctx)
	if err != nil {
		return err
	}
	if old := k.policy.Load(); old == nil || !reflect.DeepEqual(old.private, private) {
		k.policy.Store(&policy{private: private})
	}
	return nil
}

// Scope returns which collections somebody may know of. It is the only place where that is decided; what a scope hides, the catalog
// leaves out.
func (k *Keeper) Scope(p Principal) stac.Scope {
	all := k.policy.Load()
	if len(all.private) == 0 || p.Role >= Operator {
		return stac.Scope{}
	}
	who := viewer{p.User, p.Role}
	if known, ok := all.scopes.Load(who); ok {
		return known.(stac.Scope)
	}
	var hidden []string
	for _, one := range all.private {
		if !one.shown(who) {
			hidden = append(hidden, one.Collection)
		}
	}
	scope := stac.Hiding(hidden...)
	all.scopes.Store(who, scope)
	return scope
}

// shown reports whether a grant lets somebody know of it.
func (c Private) shown(to viewer) bool {
	for _, g := range c.Grants {
		if to.user != "" && (g.Account == to.user || g.Account == "" && g.Role != Nobody && to.role >= g.Role) {
			return true
		}
	}
	return false
}

// Exposed returns those of some collections that are private, and that somebody might not know of who may know of the collection into:
// what is made of their content must not go there.
func (k *Keeper) Exposed(of []string, into string) []string {
	private := map[string]Private{}
	for _, one := range k.policy.Load().private {
		private[one.Collection] = one
	}
	var exposed []string
	for _, name := range of {
		if one, hidden := private[name]; hidden && !one.shownToAll(private[into]) {
			exposed = append(exposed, name)
		}
	}
	return exposed
}

// shownToAll reports whether everybody who may know of another collection may know of this one; what is not private everybody knows of.
func (c Private) shownToAll(other Private) bool {
	if other.Collection == "" {
		return false
	}
	for _, g := range other.Grants {
		to := viewer{g.Account, g.Role}
		if g.Account != "" {
			to.role = Nobody // it may change
		} else {
			to.user = "somebody" // no account's id
		}
		if !c.shown(to) {
			return false
		}
	}
	return true
}

// AnyPrivate reports whether what is answered depends on who asks.
func (k *Keeper) AnyPrivate() bool { return len(k.policy.Load().private) > 0 }
