package stac

import (
	"context"
	"time"
)

// Cart is a list of items that somebody keeps at the server, to download or process them later.
type Cart struct {
	ID      string // who knows it may read the cart
	Owner   string // account; "" of a stranger, of whom nobody can tell another
	Title   string
	Created time.Time
	Updated time.Time
	Items   int // of collections that the one who asks may know of
}

// CartItem names an item in a cart.
type CartItem struct {
	Collection string `json:"collection"`
	ID         string `json:"id"`
}

// The most that carts hold.
const (
	MostCartItems     = 10_000  // of one cart
	MostCarts         = 1000    // of one account
	MostStrangerCarts = 100_000 // of all strangers together
	StrangerCartDays  = 90      // since it was changed
)

// Carts keeps them. Only the owner changes a cart: to others it is not there (fault.NotFound). One of a stranger is changed by whoever knows its
// id, and becomes that of the first account that changes it.
type Carts interface {
	// NewCart makes a cart of items; fault.TooLarge of too many items, fault.OverQuota of too many carts.
	NewCart(ctx context.Context, owner, title string, items []CartItem) (Cart, error)
	// Cart returns one, or fault.NotFound.
	Cart(ctx context.Context, id string) (Cart, error)
	// CartsOf returns those of an account, the newest first.
	CartsOf(ctx context.Context, owner string) ([]Cart, error)
	// CartItems returns at most so many items of a cart behind a place, in the order in which they came, and the place behind them; 0
	// is the begin, and the end.
	CartItems(ctx context.Context, id string, behind int64, most int) (items []CartItem, next int64, err error)
	// AddToCart adds those items that are not in the cart yet.
	AddToCart(ctx context.Context, id, owner string, items []CartItem) (Cart, error)
	// TakeFromCart takes an item out; one that is not in it is no error.
	TakeFromCart(ctx context.Context, id, owner string, item CartItem) error
	// DeleteCart removes a cart.
	DeleteCart(ctx context.Context, id, owner string) error
}
