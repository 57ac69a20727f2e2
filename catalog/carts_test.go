package catalog

import (
	"fmt"
	"testing"

	"swath/fault"
	"swath/stac"
)

// TestCartsAreBounded: neither a cart nor an account's carts grow without end, and strangers' carts go.
func TestCartsAreBounded(t *testing.T) {
	s := newStore(t, "c")
	ctx := t.Context()
	names := func(from, to int) (all []stac.CartItem) {
		for i := from; i < to; i++ {
			all = append(all, stac.CartItem{Collection: "c", ID: fmt.Sprint("i", i)})
		}
		return all
	}
	full, err := s.NewCart(ctx, "ada", "full", names(0, stac.MostCartItems))
	if err != nil || full.Items != stac.MostCartItems {
		t.Fatal(full, err)
	}
	if _, err := s.AddToCart(ctx, full.ID, "ada", names(0, 1)); err != nil {
		t.Errorf("an item that is in it: %v", err)
	}
	if _, err := s.AddToCart(ctx, full.ID, "ada", names(stac.MostCartItems, stac.MostCartItems+1)); !fault.Is(err, fault.TooLarge) {
		t.Errorf("an item too many: %v", err)
	}
	if c, err := s.Cart(ctx, full.ID); err != nil || c.Items != stac.MostCartItems {
		t.Errorf("what was refused is not in it: %+v %v", c, err)
	}
	for range stac.MostCarts - 1 {
		if _, err := s.NewCart(ctx, "ada", "", nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.NewCart(ctx, "ada", "", nil); !fault.Is(err, fault.OverQuota) {
		t.Errorf("a cart too many: %v", err)
	}
	old, err := s.NewCart(ctx, "", "", names(0, 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Exec(ctx, "update cart set updated_at = now() - interval '91 days' where owner = '' or id = $1", full.ID); err != nil {
		t.Fatal(err)
	}
	young, err := s.NewCart(ctx, "", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.sweepCarts(ctx); err != nil || s.strangers.Load() != 1 {
		t.Errorf("%d carts of strangers are left, %v", s.strangers.Load(), err)
	}
	if _, err := s.Cart(ctx, young.ID); err != nil {
		t.Errorf("a stranger's of today: %v", err)
	}
	if _, err := s.Cart(ctx, old.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("a stranger's that nobody changed: %v", err)
	}
	if _, err := s.Cart(ctx, full.ID); err != nil {
		t.Errorf("an account's stays: %v", err)
	}
	s.strangers.Store(stac.MostStrangerCarts - 1)
	_, err = s.NewCart(ctx, "", "", nil)
	if _, again := s.NewCart(ctx, "", "", nil); err != nil || !fault.Is(again, fault.OverQuota) {
		t.Errorf("the last of strangers: %v, and one more: %v", err, again)
	}
	if err := s.sweepCarts(ctx); err != nil || s.strangers.Load() != 2 {
		t.Errorf("%d carts of strangers are left, %v", s.strangers.Load(), err)
	}
}
