package staging

import (
	"context"
	"fmt"

	"swath/objects"
	"swath/objects/copies"
)

// Archived is an object that is to be archived, and the item that it is of.
type Archived struct{ Key, Collection, Item string }

// Archive copies objects into the archive and lets the keeper give their bytes up here. What has a copy already is left alone. It returns
// how many bytes it archived.
func (s *Store) Archive(ctx context.Context, all []Archived) (bytes int64, err error) {
	var fresh []copies.Copy
	for _, a := range all {
		if s.copies.MayHaveKey(a.Key) {
			if _, err := s.copies.Get(ctx, a.Key); err == nil {
				continue
			}
		}
		info, err := s.Store.Stat(ctx, a.Key)
		if err != nil {
			return bytes, err
		}
		fresh = append(fresh, copies.Copy{Key: a.Key, Collection: a.Collection, Item: a.Item, Bytes: info.Size, SHA256: info.SHA256, ContentType: info.ContentType, Modified: info.Modified})
	}
	if len(fresh) == 0 {
		return 0, nil
	}
	for _, c := range fresh {
		if err := s.keepBeginning(ctx, c); err != nil {
			return 0, err
		}
	}
	if err := s.archive.Keep(ctx, keysOf(fresh)); err != nil {
		return 0, err
	}
	status, err := s.archive.Status(ctx, keysOf(fresh))
	if err != nil {
		return 0, err
	}
	for i := range fresh {
		if status[i].Place == objects.Lost {
			return 0, fmt.Errorf("staging: the archive took %s and does not hold it", fresh[i].Key)
		}
		fresh[i].Volume, fresh[i].Place = status[i].Volume, status[i].Position
		bytes += fresh[i].Bytes
	}
	return bytes, s.copies.Add(ctx, fresh, copies.Evicting)
}
