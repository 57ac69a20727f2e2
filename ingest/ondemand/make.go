package ondemand

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"swath/objects"
	"swath/raster"
)

// makingTime is after how long a server that claimed a COG is believed to have died.
const makingTime = time.Hour

const mediaCOG = "image/tiff; application=geotiff; profile=cloud-optimized"

// makeAll makes one COG after another: each takes all processors while JPEG 2000 is decoded.
func (s *Shelf) makeAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case o := <-s.wanted:
			start := time.Now()
			made, err := s.makeOne(ctx, o)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				s.Log.Warn("no COG made on demand", "object", o.key, "err", err)
			case made:
				s.Log.Info("COG made on demand", "object", o.key, "dur", time.Since(start))
			}
		}
	}
}

// cogKey names the COG of an original: other bytes, or another converter, make another one.
func (o original) cogKey() string {
	sum := sha256.Sum256([]byte(o.checksum + " " + raster.Version()))
	return Prefix + strings.TrimSuffix(o.key, path.Ext(o.key)) + "-" + hex.EncodeToString(sum[:4]) + ".tif"
}

// makeOne makes the COG of an original, unless another server did or does.
func (s *Shelf) makeOne(ctx context.Context, o original) (made bool, err error) {
	object := o.cogKey()
	claimed, err := s.pool.Exec(ctx, claimSQL, o.key, object)
	if err != nil || claimed.RowsAffected() == 0 {
		return false, err
	}
	state, bytes := "ready", int64(0)
	if bytes, err = s.convert(ctx, o, object); err != nil {
		state = "failed"
	}
	if ctx.Err() != nil {
		state = "leaving" // the next who looks at it makes it
	}
	if _, settled := s.pool.Exec(context.WithoutCancel(ctx), settleSQL, o.key, state, bytes); settled != nil && err == nil {
		return false, fmt.Errorf("ondemand: settle %s: %w", o.key, settled)
	}
	if err != nil {
		return false, err
	}
	return true, s.look(ctx)
}

// convert puts the COG of an original and returns its size.
func (s *Shelf) convert(ctx context.Context, o original, object string) (int64, error) {
	work, err := os.MkdirTemp(s.Work, "cog-")
	if err != nil {
		return 0, fmt.Errorf("ondemand: work folder: %w", err)
	}
	defer os.RemoveAll(work)
	from, to := filepath.Join(work, "original.jp2"), filepath.Join(work, "made.tif")
	if err := s.copy(ctx, o.key, from); err != nil {
		return 0, err
	}
	// Only images of measures stay JPEG 2000, whose overviews are means.
	if err := raster.WriteCOG(ctx, from, to, raster.COGOptions{NoData: o.noData, Overviews: raster.Average}); err != nil {
		return 0, err
	}
	os.Remove(from) // it is as large again
	f, err := os.Open(to)
	if err != nil {
		return 0, fmt.Errorf("ondemand: %w", err)
	}
	defer f.Close()
	info, err := s.Objects.Put(ctx, object, mediaCOG, objects.Given{File: f})
	return info.Size, err
}

// copy brings an object to a file.
func (s *Shelf) copy(ctx context.Context, key, to string) error {
	object, err := s.Objects.Open(ctx, key)
	if err != nil {
		return err
	}
	defer object.Close()
	f, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("ondemand: %w", err)
	}
	defer f.Close()
	const part = 8 << 20
	for at := int64(0); at < object.Info().Size; at += part {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := io.Copy(f, io.NewSectionReader(object, at, min(part, object.Info().Size-at))); err != nil {
			return fmt.Errorf("ondemand: read %s: %w", key, err)
		}
	}
	return f.Close()
}
