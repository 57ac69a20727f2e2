package catalog

import (
	"context"

	"swath/stac"
)

// exportPage is how many items an export reads at a time: some megabytes.
const exportPage = 1000

// Each calls do with every item of a search, in its order, page by page: an item that is inserted meanwhile moves no other, and
// nothing waits for a long transaction. The search's Limit and Token do not matter. An error of do ends it.
func (s *Store) Each(ctx context.Context, q stac.Search, do func(stac.Item) error) error {
	q.Limit, q.Token = exportPage, ""
	for {
		page, err := s.Search(ctx, q)
		if err != nil {
			return err
		}
		for _, it := range page.Items {
			if err := do(it); err != nil {
				return err
			}
		}
		if q.Token = page.Next; q.Token == "" {
			return nil
		}
	}
}
