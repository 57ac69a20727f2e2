package tiles

import (
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strings"

	"swath/fault"
	"swath/geo"
)

// Description is what drawing needs to know of one item.
type Description struct {
	Collection, ID string
	Datetime       string  // as the item says it, or where it begins
	Bounds         geo.Box // degrees; MinX > MaxX crosses the antimeridian
	Assets         []Asset // the drawable ones, by key
	cog            string  // see stac.COGField; empty: as the collection says
}

// Asset is one GeoTIFF or JPEG 2000 file whose bytes Swath holds.
type Asset struct {
	Key, Title, DataType string
	Object, Checksum     string // object key and multihash of its bytes
	original             string // key of the JPEG 2000 object of which a COG is made when it is looked at; Object may be that COG
	Roles                []string
	Bands                []Band // empty when the item does not say
	jpeg2000             bool
	alpha                int // number of the band that is opacity, no measure; 0: none
}

// Band is one plane of an asset: value = stored·Scale + Offset.
type Band struct {
	Name, CommonName string
	Number           int // from 1
	Scale, Offset    float64
	NoData           *float64 // a stored value, as the item states it
	Min, Max         *float64 // stored values, from the item's statistics
}

type itemJSON struct {
	ID         string               `json:"id"`
	Collection string               `json:"collection"`
	BBox       []float64            `json:"bbox"`
	Assets     map[string]assetJSON `json:"assets"`
	Properties struct {
		COG any `json:"swath:cog"`
	} `json:"properties"`
}

type assetJSON struct {
	Title       string     `json:"title"`
	Type        string     `json:"type"`
	Roles       []string   `json:"roles"`
	Object      string     `json:"swath:object"`
	Checksum    string     `json:"file:checksum"`
	Alpha       int        `json:"swath:alpha"`
	Bands       []bandJSON `json:"bands"`        // STAC 1.1
	EOBands     []bandJSON `json:"eo:bands"`     // STAC 1.0
	RasterBands []bandJSON `json:"raster:bands"` // raster extension 1
	bandJSON
}

type bandJSON struct {
	Name       string   `json:"name"`
	CommonName string   `json:"eo:common_name"`
	Common10   string   `json:"common_name"`
	DataType   string   `json:"data_type"`
	NoData     *number  `json:"nodata"`
	Scale      *float64 `json:"raster:scale"`
	Offset     *float64 `json:"raster:offset"`
	Scale1     *float64 `json:"scale"`
	Offset1    *float64 `json:"offset"`
	Statistics struct {
		Minimum *float64 `json:"minimum"`
		Maximum *float64 `json:"maximum"`
	} `json:"statistics"`
}

// number is a JSON number, or one of the strings with which STAC writes what JSON can't.
type number float64

func (n *number) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case float64:
		*n = number(v)
	case string:
		special, ok := map[string]float64{"nan": math.NaN(), "inf": math.Inf(1), "-inf": math.Inf(-1)}[strings.ToLower(v)]
		if !ok {
			return fmt.Errorf("nodata %q is neither a number nor nan, inf or -inf", v)
		}
		*n = number(special)
	default:
		return fmt.Errorf("nodata %s is not a number", b)
	}
	return nil
}

const mediaJP2 = "image/jp2"

// drawable reports whether a media type is one of GeoTIFF or JPEG 2000.
func drawable(media string) bool {
	for _, prefix := range []string{"image/tiff", "image/vnd.stac.geotiff", mediaJP2} {
		if strings.HasPrefix(media, prefix) {
			return true
		}
	}
	return false
}

// Describe finds the drawable assets of an item: GeoTIFFs and JPEG 2000 files that name their object.
func Describe(body json.RawMessage) (Description, error) {
	var it itemJSON
	if err := json.Unmarshal(body, &it); err != nil {
		return Description{}, fault.Wrap(fault.Invalid, err, "the item is not a STAC item that can be drawn")
	}
	d := Description{Collection: it.Collection, ID: it.ID}
	d.cog, _ = it.Properties.COG.(string)
	switch b := it.BBox; len(b) {
	case 4:
		d.Bounds = geo.Box{MinX: b[0], MinY: b[1], MaxX: b[2], MaxY: b[3]}
	case 6:
		d.Bounds = geo.Box{MinX: b[0], MinY: b[1], MaxX: b[3], MaxY: b[4]}
	default:
		return Description{}, fault.New(fault.Invalid, "item %q has no bbox, so it can't be placed on a map", it.ID)
	}
	for key, a := range it.Assets {
		if a.Object != "" && drawable(a.Type) {
			d.Assets = append(d.Assets, Asset{
				Key: key, Title: a.Title, DataType: a.DataType, Object: a.Object, Checksum: a.Checksum, Roles: a.Roles, Bands: a.bands(key),
				alpha: a.Alpha, jpeg2000: strings.HasPrefix(a.Type, mediaJP2),
			})
		}
	}
	sort.Slice(d.Assets, func(i, j int) bool { return d.Assets[i].Key < d.Assets[j].Key })
	return d, nil
}

// bands merges what the asset says for all its bands with what it says for each.
func (a assetJSON) bands(key string) []Band {
	n := max(len(a.Bands), len(a.EOBands), len(a.RasterBands))
	if n == 0 && (a.Scale != nil || a.Offset != nil || a.NoData != nil || a.DataType != "") {
		n = 1 // one-band assets may put everything at the top
	}
	bands := make([]Band, n)
	for i := range bands {
		b := Band{Number: i + 1, Scale: 1}
		b.merge(a.bandJSON)
		b.Name = "" // an asset's own name is not its band's
		for _, list := range [][]bandJSON{a.RasterBands, a.EOBands, a.Bands} {
			if i < len(list) {
				b.merge(list[i])
			}
		}
		if b.Name == "" && n == 1 {
			b.Name = key
		} else if b.Name == "" {
			b.Name = fmt.Sprintf("%s_b%d", key, i+1)
		}
		bands[i] = b
	}
	return bands
}

func (b *Band) merge(j bandJSON) {
	first := func(to *float64, from ...*float64) {
		for _, f := range from {
			if f != nil {
				*to = *f
				return
			}
		}
	}
	first(&b.Scale, j.Scale, j.Scale1)
	first(&b.Offset, j.Offset, j.Offset1)
	if j.NoData != nil {
		b.NoData = (*float64)(j.NoData)
	}
	if s := j.Statistics; s.Minimum != nil && s.Maximum != nil {
		b.Min, b.Max = s.Minimum, s.Maximum
	}
	if j.Name != "" {
		b.Name = j.Name
	}
	for _, name := range []string{j.Common10, j.CommonName} {
		if name != "" {
			b.CommonName = name
		}
	}
}
