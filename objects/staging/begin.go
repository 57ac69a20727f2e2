package staging

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"swath/fault"
	"swath/objects"
	"swath/objects/copies"
)

// BeginPrefix begins the keys of the beginnings of archived rasters. No collection is called so.
const BeginPrefix = "_begin/"

// Of a raster the beginning stays here: a cloud-optimized GeoTIFF has its directories there and its coarsest overviews behind them, so that
// maps from afar are drawn as ever. A five-hundredth holds the overviews from a thirty-second of the resolution on, as 320 m of 10 m.
const (
	beginLeast = 128 << 10
	beginShare = 512
)

// keepBeginning keeps that of an object which will be archived.
func (s *Store) keepBeginning(ctx context.Context, c copies.Copy) error {
	if !strings.HasPrefix(c.ContentType, "image/tiff") {
		return nil
	}
	o, err := s.Store.Open(ctx, c.Key)
	if err != nil {
		return err
	}
	defer o.Close()
	_, err = s.Store.Put(ctx, BeginPrefix+c.Key, "application/octet-stream", io.NewSectionReader(o, 0, min(c.Bytes, beginLeast+c.Bytes/beginShare)))
	return err
}

// Raster opens an object for whoever draws it, and keeps it open in case it is drawn again: a copy stays online for a minute, and may go then.
// Of one that is in the archive the beginning can be read, and the rest is fault.Offline until it is online.
func (s *Store) Raster(ctx context.Context, key string) (objects.Object, error) {
	o, _, err := s.open(ctx, key)
	if !fault.Is(err, fault.Offline) {
		return o, err
	}
	c, found := s.copies.Get(ctx, key)
	if found != nil {
		return nil, err
	}
	begin, missing := s.Store.Open(ctx, BeginPrefix+key)
	if fault.Is(missing, fault.NotFound) {
		return nil, err
	} else if missing != nil {
		return nil, missing
	}
	return &beginning{Object: begin, store: s, info: infoOf(c)}, nil
}

// beginning is an object of which the beginning is here.
type beginning struct {
	objects.Object // of the beginning
	store          *Store
	info           objects.Info

	mu    sync.Mutex
	whole objects.Object // once it came
}

func (b *beginning) Info() objects.Info { return b.info }

// openTime is how long a read may wait for the whole object to open.
const openTime = 10 * time.Second

func (b *beginning) ReadAt(p []byte, off int64) (int, error) {
	if here := b.Object.Info().Size; off+int64(len(p)) <= here || here == b.info.Size {
		return b.Object.ReadAt(p, off)
	}
	b.mu.Lock()
	if b.whole == nil {
		ctx, cancel := context.WithTimeout(context.Background(), openTime)
		defer cancel()
		o, _, err := b.store.open(ctx, b.info.Key)
		if err != nil {
			b.mu.Unlock()
			return 0, fmt.Errorf("staging: read %s at %d: %w", b.info.Key, off, err)
		}
		b.whole = o
	}
	whole := b.whole
	b.mu.Unlock()
	return whole.ReadAt(p, off)
}

func (b *beginning) Close() error {
	err := b.Object.Close()
	if b.whole != nil {
		err = errors.Join(err, b.whole.Close())
	}
	return err
}
