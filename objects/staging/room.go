package staging

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"

	"swath/objects"
	"swath/objects/copies"
)

// evict lets expired copies go, and others where the buffer is above its high-water mark, or has no room for what comes next.
func (k *Keeper) evict(ctx context.Context) (moved int, err error) {
	room, err := k.copies.Room(ctx)
	if err != nil {
		return 0, err
	}
	over := int64(0) // bytes that must go
	if b := k.cfg.BufferBytes; b > 0 {
		staying := room.Used - room.Going
		if float64(staying) > k.cfg.HighWater*float64(b) {
			over = staying - int64(k.cfg.LowWater*float64(b))
		}
		if need, err := k.next(ctx); err != nil {
			return 0, err
		} else if staying+need > b {
			over = max(over, staying+need-b)
		}
	}
	for {
		victims, err := k.copies.Victims(ctx, over > 0, k.cfg.LeastLife, page)
		if err != nil {
			return moved, err
		}
		round := 0
		for _, v := range victims {
			if !v.Expired && over <= 0 {
				break
			}
			n, err := k.move(ctx, v.Copy, copies.Evicting, copies.Change{})
			if err != nil {
				return moved, err
			}
			if round += n; n > 0 {
				over -= v.Bytes
			}
		}
		if moved += round; round == 0 || len(victims) < page {
			return moved, nil
		}
	}
}

// next returns the bytes of the copy whose turn it is.
func (k *Keeper) next(ctx context.Context) (int64, error) {
	firsts, err := k.copies.Waiting(ctx, 1) // of every user
	if err != nil || len(firsts) == 0 {
		return 0, err
	}
	served, err := k.copies.Served(ctx)
	if err != nil {
		return 0, err
	}
	return share(firsts, served, 1, -1)[0].Bytes, nil
}

// ask chooses a batch, as far as there is room, and asks the archive for it.
func (k *Keeper) ask(ctx context.Context) (moved int, err error) {
	if ready, err := k.copies.QueuedSince(ctx, k.cfg.Batch, k.cfg.BatchWait); err != nil || !ready {
		return 0, err
	}
	waiting, err := k.copies.Waiting(ctx, k.cfg.Batch)
	if err != nil {
		return 0, err
	}
	served, err := k.copies.Served(ctx)
	if err != nil {
		return 0, err
	}
	room, err := k.copies.Room(ctx)
	if err != nil {
		return 0, err
	}
	free := int64(-1)
	if k.cfg.BufferBytes > 0 {
		free = max(0, k.cfg.BufferBytes-room.Used)
	}
	var batch []copies.Copy
	for _, c := range share(waiting, served, k.cfg.Batch, free) {
		n, err := k.move(ctx, c, copies.Restoring, copies.Change{Reason: c.Reason})
		if err != nil {
			return moved, err
		}
		if moved += n; n > 0 {
			c.State, c.Version = copies.Restoring, c.Version+1
			batch = append(batch, c)
		}
	}
	_, err = k.restore(ctx, batch)
	return moved, err
}

// restore asks the archive for copies that have their room, tape by tape.
func (k *Keeper) restore(ctx context.Context, all []copies.Copy) (moved int, err error) {
	slices.SortFunc(all, func(a, b copies.Copy) int {
		return cmp.Or(cmp.Compare(a.Volume, b.Volume), cmp.Compare(a.Place, b.Place), cmp.Compare(a.Key, b.Key))
	})
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].Volume == all[from].Volume {
			to++
		}
		refused, err := k.archive.Restore(ctx, keysOf(all[from:to]), days(k.cfg.Keep), k.cfg.Tier)
		if err != nil {
			return moved, err
		}
		for _, c := range all[from:to] {
			if reason := refused[c.Key]; reason != nil {
				n, err := k.failed(ctx, c, reason.Error())
				if moved += n; err != nil {
					return moved, err
				}
			}
		}
		from = to
	}
	return moved, nil
}

// sum reads the bytes that came.
func (k *Keeper) sum(ctx context.Context, c copies.Copy) (string, error) {
	o, err := k.bytes.Open(ctx, c.Key)
	if err != nil {
		return "", err
	}
	defer o.Close()
	h := sha256.New()
	r := objects.Stream(o, 0, o.Info().Size)
	defer r.Close()
	for ctx.Err() == nil {
		if _, err := io.CopyN(h, r, 16<<20); err == io.EOF {
			return hex.EncodeToString(h.Sum(nil)), nil
		} else if err != nil {
			return "", err
		}
	}
	return "", ctx.Err()
}
