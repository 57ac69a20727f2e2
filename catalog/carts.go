package catalog

import (
	"context"
	"crypto/rand"
	_ "embed"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"swath/fault"
	"swath/stac"
)

var (
	//go:embed sql/cart.sql
	cartSQL string
	//go:embed sql/new_cart.sql
	newCartSQL string
	//go:embed sql/sweep_carts.sql
	sweepCartsSQL string
	//go:embed sql/add_to_cart.sql
	addToCartSQL string
	//go:embed sql/cart_items.sql
	cartItemsSQL string
)

var _ stac.Carts = (*Store)(nil)

func noCart(id string) error { return fault.New(fault.NotFound, "there is no cart %.60q", id) }

// carts returns one cart, or those of an owner.
func carts(ctx context.Context, q querier, id, owner string) ([]stac.Cart, error) {
	rows, err := q.Query(ctx, cartSQL, id, owner, append([]string{}, stac.ScopeOf(ctx).Hidden()...))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c stac.Cart, err error) {
		err = row.Scan(&c.ID, &c.Owner, &c.Title, &c.Created, &c.Updated, &c.Items)
		c.Created, c.Updated = c.Created.UTC(), c.Updated.UTC()
		return c, err
	})
}

// oneCart returns one, or fault.NotFound.
func oneCart(ctx context.Context, q querier, id string) (stac.Cart, error) {
	found, err := carts(ctx, q, id, "")
	if err != nil {
		return stac.Cart{}, err
	} else if len(found) == 0 {
		return stac.Cart{}, noCart(id)
	}
	return found[0], nil
}

// Cart returns one, or fault.NotFound.
func (s *Store) Cart(ctx context.Context, id string) (c stac.Cart, err error) {
	if id == "" || strings.ContainsRune(id, 0) {
		return c, noCart(id)
	}
	err = s.reading(ctx, "cart", func(conn *pgxpool.Conn) (err error) {
		c, err = oneCart(ctx, conn, id)
		return err
	})
	return c, err
}

// CartsOf returns those of an account, the newest first.
func (s *Store) CartsOf(ctx context.Context, owner string) (all []stac.Cart, err error) {
	err = s.reading(ctx, "carts", func(conn *pgxpool.Conn) (err error) {
		all, err = carts(ctx, conn, "", owner)
		return err
	})
	return all, err
}

// NewCart makes a cart of items.
func (s *Store) NewCart(ctx context.Context, owner, title string, items []stac.CartItem) (c stac.Cart, err error) {
	if strings.ContainsRune(title, 0) {
		return c, fault.New(fault.Invalid, "the title has a character that is not allowed")
	}
	most := any(stac.MostCarts)
	if owner == "" {
		if s.strangers.Add(1) > stac.MostStrangerCarts {
			return c, fault.New(fault.OverQuota, "there are %d carts of strangers, which is the most", stac.MostStrangerCarts)
		}
		most = nil
	}
	err = s.changingCart(ctx, func(tx pgx.Tx) error {
		id := strings.ToLower(rand.Text())
		tag, err := tx.Exec(ctx, newCartSQL, id, owner, title, most)
		if err == nil && tag.RowsAffected() == 0 {
			err = fault.New(fault.OverQuota, "there are %d carts, which is the most", stac.MostCarts)
		}
		if err == nil {
			c, err = addToCart(ctx, tx, id, items)
		}
		return err
	})
	return c, err
}

// sweepCarts removes the carts of strangers that nobody changed for long, and counts the others, so that who makes one need not.
func (s *Store) sweepCarts(ctx context.Context) error {
	return s.with(ctx, "sweep carts", func(conn *pgxpool.Conn) error {
		var left int64
		err := conn.QueryRow(ctx, sweepCartsSQL, stac.StrangerCartDays).Scan(&left)
		if err == nil {
			s.strangers.Store(left)
		}
		return err
	})
}

// CartItems returns items of a cart behind a place.
func (s *Store) CartItems(ctx context.Context, id string, behind int64, most int) (items []stac.CartItem, next int64, err error) {
	err = s.reading(ctx, "cart", func(conn *pgxpool.Conn) error {
		rows, err := conn.Query(ctx, cartItemsSQL, id, behind, most+1, append([]string{}, stac.ScopeOf(ctx).Hidden()...))
		if err != nil {
			return err
		}
		items, next = nil, 0
		var one stac.CartItem
		var at, last int64
		_, err = pgx.ForEachRow(rows, []any{&one.Collection, &one.ID, &at}, func() error {
			if len(items) == most {
				next = last
				return nil
			}
			items, last = append(items, one), at
			return nil
		})
		return err
	})
	return items, next, err
}

// AddToCart adds those items that are not in the cart yet.
func (s *Store) AddToCart(ctx context.Context, id, owner string, items []stac.CartItem) (c stac.Cart, err error) {
	err = s.changingCart(ctx, func(tx pgx.Tx) (err error) {
		if err = touchCart(ctx, tx, id, owner); err == nil {
			c, err = addToCart(ctx, tx, id, items)
		}
		return err
	})
	return c, err
}

// TakeFromCart takes an item out.
func (s *Store) TakeFromCart(ctx context.Context, id, owner string, item stac.CartItem) error {
	return s.changingCart(ctx, func(tx pgx.Tx) error {
		if err := touchCart(ctx, tx, id, owner); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "delete from cart_item where cart = $1 and collection = $2 and item = $3", id, item.Collection, item.ID)
		return err
	})
}

// DeleteCart removes a cart.
func (s *Store) DeleteCart(ctx context.Context, id, owner string) error {
	return s.changingCart(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "delete from cart where id = $1 and owner in ($2, '')", id, owner)
		if err == nil && tag.RowsAffected() == 0 {
			err = noCart(id)
		}
		return err
	})
}

func (s *Store) changingCart(ctx context.Context, do func(pgx.Tx) error) error {
	return s.writing(ctx, "change cart", func(conn *pgxpool.Conn) error { return pgx.BeginFunc(ctx, conn, do) })
}

// touchCart locks a cart of an owner, and notes that it changes. A stranger's becomes the owner's: who signs in goes on with it.
func touchCart(ctx context.Context, tx pgx.Tx, id, owner string) error {
	tag, err := tx.Exec(ctx, "update cart set updated_at = now(), owner = $2 where id = $1 and owner in ($2, '')", id, owner)
	if err == nil && tag.RowsAffected() == 0 {
		err = noCart(id)
	}
	return err
}

// addToCart adds items to a cart that is locked.
func addToCart(ctx context.Context, tx pgx.Tx, id string, items []stac.CartItem) (stac.Cart, error) {
	collections, ids := make([]string, len(items)), make([]string, len(items))
	for i, it := range items {
		collections[i], ids[i] = it.Collection, it.ID
	}
	if _, err := tx.Exec(ctx, addToCartSQL, id, collections, ids); err != nil {
		return stac.Cart{}, err
	}
	var n int
	if err := tx.QueryRow(ctx, "select count(*) from cart_item where cart = $1", id).Scan(&n); err != nil {
		return stac.Cart{}, err
	}
	if n > stac.MostCartItems {
		return stac.Cart{}, fault.New(fault.TooLarge, "a cart holds %d items, this would have %d", stac.MostCartItems, n)
	}
	return oneCart(ctx, tx, id)
}
