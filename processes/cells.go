package processes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"golang.org/x/sync/errgroup"

	"swath/fault"
	"swath/geo"
	"swath/objects"
)

// Folder is what requests may name where a process takes a folder.
type Folder struct {
	Path  string // on the local disk
	Cells *Cells // what fills it; nil: everything is there
}

// Cells are files of a bucket that hold a degree of the world each, as those of height models do. A job has those around its inputs
// brought; they stay for others, and are not asked for again. One that is not in the bucket is open sea.
type Cells struct {
	From   *objects.Remote
	Bucket string
	Key    string // its {lat} and {lon} are N43 and E001, of the cell's south-western corner
}

const (
	cellMarginDeg = 0.1 // around the inputs: their footprints are those of a smooth ground
	mostCells     = 2000
	cellsAtOnce   = 4
	cellPatience  = 15 * time.Minute // of one file
)

// fill brings the cells around some boxes, which may go over the antimeridian as GeoJSON's do.
func (f Folder) fill(ctx context.Context, boxes []geo.Box) error {
	names := map[string]bool{}
	for _, b := range boxes {
		if b.MaxX < b.MinX {
			b.MaxX += 360
		}
		south, north := math.Floor(max(b.MinY-cellMarginDeg, -90)), min(b.MaxY+cellMarginDeg, 90)
		west, east := math.Floor(b.MinX-cellMarginDeg), min(b.MaxX+cellMarginDeg, b.MinX+360)
		for lat := south; lat < north; lat++ {
			for lon := west; lon < east; lon++ {
				names[f.Cells.name(int(lat), int(lon))] = true
			}
			if len(names) > mostCells {
				return fault.New(fault.Invalid, "the inputs reach over more than %d degrees of heights", mostCells)
			}
		}
	}
	if err := os.MkdirAll(f.Path, 0o755); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cellsAtOnce)
	for name := range names {
		to := filepath.Join(f.Path, path.Base(name))
		if _, err := os.Stat(to); err == nil {
			continue
		}
		group.Go(func() error { return f.Cells.bring(ctx, name, to) })
	}
	return group.Wait()
}

// name is the key of the cell whose south-western corner is given, in degrees; the longitude may be beyond ±180.
func (c *Cells) name(lat, lon int) string {
	ns, ew := 'N', 'E'
	if lat < 0 {
		ns, lat = 'S', -lat
	}
	if lon = ((lon+180)%360+360)%360 - 180; lon < 0 {
		ew, lon = 'W', -lon
	}
	return strings.NewReplacer("{lat}", fmt.Sprintf("%c%02d", ns, lat), "{lon}", fmt.Sprintf("%c%03d", ew, lon)).Replace(c.Key)
}

// bring copies a cell to a file, or nothing where there is none.
func (c *Cells) bring(ctx context.Context, key, to string) error {
	ctx, cancel := context.WithTimeout(ctx, cellPatience)
	defer cancel()
	body, o, err := c.From.Get(ctx, c.Bucket, key, 0, "")
	if fault.Is(err, fault.NotFound) {
		return nil
	} else if err != nil {
		return err
	}
	defer body.Close()
	part, err := renameio.NewPendingFile(to, renameio.WithTempDir(filepath.Dir(to)), renameio.WithPermissions(0o644))
	if err != nil {
		return err
	}
	n, err := io.Copy(part, body)
	if err == nil && n != o.Size {
		err = fmt.Errorf("s3://%s/%s: %d bytes came of %d", c.Bucket, key, n, o.Size)
	}
	if err == nil {
		err = part.CloseAtomicallyReplace()
	}
	return errors.Join(err, part.Cleanup())
}

// boxes are those of the items among a job's inputs.
func (w *worker) boxes(ctx context.Context, inputs map[string]bound) (all []geo.Box, err error) {
	for _, b := range inputs {
		for _, s := range b.Sources {
			if s.Item == nil {
				continue
			}
			it, err := w.cfg.Catalog.Item(ctx, s.Item.Collection, s.Item.ID)
			if err != nil {
				return nil, err
			}
			var fields struct{ BBox []float64 }
			if err := json.Unmarshal(it.Body, &fields); err != nil {
				return nil, err
			}
			if n := len(fields.BBox); n == 4 || n == 6 {
				all = append(all, geo.Box{MinX: fields.BBox[0], MinY: fields.BBox[1], MaxX: fields.BBox[n/2], MaxY: fields.BBox[n/2+1]})
			}
		}
	}
	return all, nil
}

// provide returns the path of a folder in which a job finds what it needs.
func (w *worker) provide(ctx context.Context, t *task, name string) (string, error) {
	f, ok := w.cfg.Folders[name]
	if !ok {
		return "", fault.New(fault.Invalid, "there is no folder %.60q any more", name)
	}
	if f.Cells == nil {
		return f.Path, nil
	}
	boxes, err := w.boxes(ctx, t.inputs)
	if err != nil {
		return "", err
	}
	if len(boxes) == 0 {
		return "", fault.New(fault.Invalid, "%s lies in a bucket, of which the part around products of the catalog is brought: name them by their items", name)
	}
	return f.Path, f.fill(ctx, boxes)
}
