package ingest

import (
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"swath/fault"
	"swath/geo"
	"swath/objects"
	"swath/raster"
	"swath/stac"
)

const (
	mediaCOG = "image/tiff; application=geotiff; profile=cloud-optimized"
	mediaJP2 = "image/jp2"
	mediaXML = "application/xml"
	mediaGML = "application/gml+xml"
	mediaPNG = "image/png"
	mediaZip = "application/zip"
)

// revisionField is the item property that names the content the item was made from.
const revisionField = "swath:revision"

// publication is one plan on its way into the catalog.
type publication struct {
	*Ingester
	plan
	revision string
	work     string // folder that is removed at the end

	mu   sync.Mutex
	done map[string]map[string]any // assets whose bytes are in objects
}

// publish makes the plan's COGs, puts all bytes into objects and, last, the item into the catalog.
// It reports whether anything changed.
func (in *Ingester) publish(ctx context.Context, p plan) (bool, error) {
	it, known, err := in.prepare(ctx, p)
	if err != nil || it == nil {
		return false, err
	}
	if known != "" {
		if err := in.retire(ctx, retirement{p.collection, p.id, known}); err != nil {
			return false, err
		}
	}
	return in.Catalog.PutItem(ctx, *it)
}

// prepare makes the plan's COGs, puts all bytes into objects and returns the item, with the revision that is in the catalog ("" for
// none); no item when that is the same.
func (in *Ingester) prepare(ctx context.Context, p plan) (it *stac.Item, known string, err error) {
	makes := p.fingerprint + " " + converter + " " + raster.Version()
	if p.cog != stac.COGEager {
		makes += " as is"
	}
	if p.properties[stac.COGField] != nil {
		makes += " " + p.cog
	}
	sum := sha256.Sum256([]byte(makes))
	pub := &publication{Ingester: in, plan: p, revision: hex.EncodeToString(sum[:4]), done: map[string]map[string]any{}}
	known, err = in.revisionOf(ctx, p.collection, p.id)
	if err != nil || known == pub.revision {
		return nil, known, err
	}
	// A revision that comes back must not be collected while its objects are put again.
	for _, prefix := range []string{retired, removed} {
		if err := in.Objects.Delete(ctx, retirement{p.collection, p.id, pub.revision}.under(prefix)); err != nil {
			return nil, known, err
		}
	}
	if pub.work, err = os.MkdirTemp(in.Work, "ingest-"); err != nil {
		return nil, known, fmt.Errorf("ingest: work folder: %w", err)
	}
	defer os.RemoveAll(pub.work)

	if err := pub.addAll(ctx); err != nil {
		return nil, known, err
	}
	if err := pub.addThumbnail(ctx); err != nil {
		return nil, known, err
	}
	if p.outline != "" {
		if pub.geometry, err = pub.outlineOf(ctx, p.outline); err != nil {
			return nil, known, err
		}
	}
	body, err := pub.item()
	if err != nil {
		return nil, known, err
	}
	return &stac.Item{Collection: p.collection, ID: p.id, Body: body}, known, nil
}

// addAll converts and puts every layer and file, as many at a time as there are cores. The largest come first, so that none is left
// to be worked on alone.
func (p *publication) addAll(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	layers := slices.Clone(p.layers)
	slices.SortStableFunc(layers, func(a, b layer) int { return cmp.Compare(raster.FileBytes(b.path), raster.FileBytes(a.path)) })
	for _, l := range layers {
		group.Go(func() error { return p.addLayer(ctx, l) })
	}
	for _, f := range p.files {
		group.Go(func() error { return p.addFile(ctx, f) })
	}
	return group.Wait()
}

// cogPath is where a layer's COG lies until it is published.
func (p *publication) cogPath(asset string) string { return filepath.Join(p.work, asset+".tif") }

// staysJP2 reports whether a layer is published as it came: JPEG 2000 from one file, of which all bands count. Its lower resolutions are
// means: of classes none could be drawn.
func (p *publication) staysJP2(l layer) bool {
	return p.cog != stac.COGEager && l.options.Overviews == raster.Average && l.made == nil && l.pieces == nil && len(l.options.Bands) == 0 && len(l.options.GCPs) == 0 &&
		strings.EqualFold(path.Ext(l.path), ".jp2")
}

// readable is where an asset's pixels can be read until the item is published, and the nodata value that the file itself may not state.
func (p *publication) readable(asset string) (string, *float64) {
	for _, l := range p.layers {
		if l.asset == asset && p.staysJP2(l) {
			return l.path, l.options.NoData
		}
	}
	return p.cogPath(asset), nil
}

// addLayer converts one raster and puts it.
func (p *publication) addLayer(ctx context.Context, l layer) error {
	if p.staysJP2(l) {
		d, err := raster.Inspect(l.path)
		if err != nil {
			return fmt.Errorf("ingest: %s, asset %s: %w", p.id, l.asset, err)
		}
		if l.options.NoData != nil {
			d.NoData = l.options.NoData
		}
		open := func() (io.ReadCloser, error) { return raster.OpenFile(l.path) }
		return p.addFile(ctx, file{l.asset, cmp.Or(l.name, l.asset) + ".jp2", mediaJP2, open, with(rasterFields(d), l.fields)})
	}
	cog := p.cogPath(l.asset)
	err := p.convert(ctx, l, cog)
	if err != nil {
		return fmt.Errorf("ingest: %s, asset %s: %w", p.id, l.asset, err)
	}
	d, err := raster.Inspect(cog)
	if err != nil {
		return fmt.Errorf("ingest: %s, asset %s: %w", p.id, l.asset, err)
	}
	return p.addFile(ctx, file{l.asset, cmp.Or(l.name, l.asset) + ".tif", mediaCOG, openMade(cog), with(rasterFields(d), l.fields)})
}

func (p *publication) convert(ctx context.Context, l layer, cog string) error {
	plain := cog + ".plain"
	if l.pieces != nil {
		if err := raster.WriteMosaic(ctx, plain, *l.pieces, l.options.Bands); err != nil {
			return err
		}
		defer os.Remove(plain) // it is as large as the band
		whole := l.options
		whole.Bands = nil
		return raster.WriteCOG(ctx, plain, cog, whole)
	}
	if l.made == nil {
		return raster.WriteCOG(ctx, l.path, cog, l.options)
	}
	if err := raster.WritePlanes(plain, *l.made); err != nil {
		return err
	}
	return raster.WriteCOG(ctx, plain, cog, l.options)
}

// rasterFields describes a COG in STAC's words.
func rasterFields(d raster.Description) map[string]any {
	fields := map[string]any{"proj:shape": []int{d.Height, d.Width}, "data_type": d.DataType}
	if d.NoData != nil {
		fields["nodata"] = stacNumber(*d.NoData)
	}
	if d.Alpha > 0 {
		fields["swath:alpha"] = d.Alpha
	}
	if len(d.GCPs) > 0 {
		return fields // sensor geometry: the ground control points are in the file
	}
	t := d.Transform
	fields["proj:transform"] = []float64{t[1], t[2], t[0], t[4], t[5], t[3]}
	if d.CRS != 0 {
		fields["proj:code"] = d.CRS.String()
	} else {
		fields["proj:code"], fields["proj:wkt2"] = nil, d.WKT
		if system := raster.PROJJSON(d.WKT); system != nil {
			fields["proj:projjson"] = system
		}
	}
	x0, y0 := t.Apply(0, 0)
	x1, y1 := t.Apply(float64(d.Width), float64(d.Height))
	fields["proj:bbox"] = []float64{min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)}
	return fields
}

// addFile puts one file's bytes and describes it as an asset.
func (p *publication) addFile(ctx context.Context, f file) error {
	key := fmt.Sprintf("%s/%s/%s/%s", p.collection, p.id, p.revision, f.name)
	summed := md5.New()
	if f.asset == stac.ProductAsset { // hubs and their clients name products by it
		open := f.open
		f.open = func() (io.ReadCloser, error) {
			r, err := open()
			if err != nil {
				return nil, err
			}
			summed.Reset()
			return struct {
				io.Reader
				io.Closer
			}{io.TeeReader(r, summed), r}, nil
		}
	}
	info, err := p.put(ctx, key, f)
	if err != nil {
		return fmt.Errorf("ingest: %s, asset %s: %w", p.id, f.asset, err)
	}
	fields := map[string]any{
		"href": stac.HrefPrefix + path.Join("/collections", url.PathEscape(p.collection), "items", url.PathEscape(p.id), "assets", url.PathEscape(f.asset)),
		"type": f.contentType, "file:size": info.Size, "file:checksum": "1220" + info.SHA256, stac.ObjectField: key,
	}
	if f.asset == stac.ProductAsset {
		fields["swath:md5"] = hex.EncodeToString(summed.Sum(nil))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done[f.asset] = with(fields, f.fields)
	return nil
}

// put writes an object. Another content under the key can only be left from an ingest that never reached the catalog
// (the revision names the content): it is replaced.
func (p *publication) put(ctx context.Context, key string, f file) (objects.Info, error) {
	for attempt := 0; ; attempt++ {
		r, err := f.open()
		if err != nil {
			return objects.Info{}, err
		}
		info, err := p.Objects.Put(ctx, key, f.contentType, r)
		r.Close()
		if !fault.Is(err, fault.Conflict) || attempt > 0 {
			return info, err
		}
		if err := p.Objects.Delete(ctx, key); err != nil {
			return objects.Info{}, err
		}
	}
}

// outlineOf returns the footprint of an asset's valid pixels; where it has none (an emptied raster), the plan's geometry.
func (p *publication) outlineOf(ctx context.Context, asset string) (geo.MultiPolygon, error) {
	where, noData := p.readable(asset)
	rings, err := raster.ValidFootprint(ctx, where, noData)
	if err != nil {
		return nil, fmt.Errorf("ingest: %s: footprint: %w", p.id, err)
	}
	var all geo.MultiPolygon
	for _, ring := range rings {
		all = append(all, geo.SplitAntimeridian(ring)...)
	}
	if len(all) == 0 {
		return p.geometry, nil
	}
	return all, nil
}
