// Package hub says what a source of products must offer, so that a mirror can be kept of it.
//
//	List by date ──▶ rows ──▶ (ledger) ──▶ Fetch by id, from a byte on ──▶ bytes
//
// Dates are the hub's own, as are its ids; its clock is not ours. One subpackage for each kind of source.
package hub

import (
	"context"
	"time"

	"swath/fault"
	"swath/fetch"
)

// Product is a row of a hub's catalogue.
type Product struct {
	ID, Name  string // the hub's key, unique; the product's name as it is packed, which several rows may share; behind a slash where names are of a collection alone
	Bytes     int64  // of the download; 0: not said
	Checksums []fetch.Sum
	Published time.Time
	Modified  time.Time
	Acquired  time.Time // begin of acquisition
	Online    bool      // else it must be ordered
}

// Deletion is a product that left the hub.
type Deletion struct {
	ID, Name string
	At       time.Time
	Cause    string
}

// Order is a date by which rows can be listed.
type Order string

// The orders.
const (
	ByPublication  Order = "published"
	ByModification Order = "modified"
	ByDeletion     Order = "deleted"
	ByAcquisition  Order = "acquired"
	// All is no date: everything, each time, of a source that can say that at once.
	All Order = "all"
)

// Query asks for the rows with a date that is not before Since and, unless it is zero, before Until; oldest first.
type Query struct {
	By           Order
	Since, Until time.Time
	Published    time.Time // rows that were published before are left out; zero: none
}

// Page is some of the rows that were asked for, in order. Rows may come again on a later page.
type Page struct {
	Products  []Product  // of every order but ByDeletion
	Deletions []Deletion // of ByDeletion
	Now       time.Time  // what the hub's clock says
	Shuffled  bool       // the rows of all pages come in no order

	KnownAlone bool // deletions of rows that were never listed say nothing: the hub has others, and lists nothing that has left
}

// Last returns the date of the last row; zero without rows.
func (p Page) Last(by Order) time.Time {
	switch n := len(p.Products); {
	case by == ByDeletion && len(p.Deletions) > 0:
		return p.Deletions[len(p.Deletions)-1].At
	case n == 0:
		return time.Time{}
	case p.Shuffled:
		last := time.Time{}
		for i := range p.Products {
			if at := (Page{Products: p.Products[i : i+1]}).Last(by); at.After(last) {
				last = at
			}
		}
		return last
	case by == ByModification:
		return p.Products[n-1].Modified
	case by == ByAcquisition:
		return p.Products[n-1].Acquired
	default:
		return p.Products[n-1].Published
	}
}

// ErrLogin says that the hub refuses the account itself, whatever is asked: nothing can be done before somebody mends that.
var ErrLogin = fault.New(fault.Forbidden, "the hub refuses user and password")

// Contents are what a product consists of.
type Contents struct {
	Files []File
	Entry string // the file by which the product is known; empty: its folder, or its only file
	Local string // where the product lies on this machine, to be read there; else empty, and the files are fetched
}

// File is a file of a product.
type File struct {
	Path  string // within the product; empty: the file is the product
	Bytes int64  // 0: not said
	Sums  []fetch.Sum
	Open  fetch.Open
}

// Hub is a source of products. It is safe for concurrent use. Errors that may pass are tried again inside, in bounded time; those that
// come out are fault.Unavailable where a later run may succeed, fault.NotFound where the row is gone, fault.Forbidden where the
// account may not, fault.Offline where the product must first be brought from cold storage; a *fetch.Retry says when to come again.
type Hub interface {
	// Orders are those lists that together tell of everything new: some of ByPublication, ByModification, ByDeletion; or All. The hub may be
	// asked for it.
	Orders(ctx context.Context) ([]Order, error)
	// List hands over page after page until there are no more rows or yield fails.
	List(ctx context.Context, q Query, yield func(Page) error) error
	// Count returns how many rows List would hand over.
	Count(ctx context.Context, q Query) (int64, error)
	// Product returns one row, or fault.NotFound.
	Product(ctx context.Context, id string) (Product, error)
	// Contents returns what a product consists of.
	Contents(ctx context.Context, p Product) (Contents, error)
}

// Orderer is a hub that brings products from cold storage for those who ask.
type Orderer interface {
	// Order orders a product, or looks at its order. It is nil when the product can be fetched, a *fetch.Retry of fault.Offline while it
	// comes, and fault.Offline alone where the hub takes no order for it.
	Order(ctx context.Context, p Product) error
}

// Hinter is a hub that can tell that something may be new before its lists are looked at again. Nothing depends on it.
type Hinter interface {
	// Hints calls hint until ctx ends.
	Hints(ctx context.Context, hint func()) error
}
