package tilehttp

import (
	"math"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"swath/fault"
	"swath/tiles"
)

func TestParse(t *testing.T) {
	five := 5.0
	for text, want := range map[string]tiles.Request{
		"":                                 {},
		"render=ndvi":                      {Render: "ndvi"},
		"assets=B04,B08":                   {Assets: []string{"B04", "B08"}},
		"assets=B04&assets=B08,+B02":       {Assets: []string{"B04", "B08", "B02"}},
		"expression=(B08-B04)/(B08%2BB04)": {Expression: "(B08-B04)/(B08+B04)"},
		"rescale=0,3000":                   {Rescale: [][2]float64{{0, 3000}}},
		"rescale=0,1&rescale=-1,2e3":       {Rescale: [][2]float64{{0, 1}, {-1, 2000}}},
		"rescale=0,1,0,2,0,3":              {Rescale: [][2]float64{{0, 1}, {0, 2}, {0, 3}}},
		"colormap_name=rdylgn":             {ColormapName: "rdylgn"},
		`colormap={"1":"%23fff"}`:          {Colormap: []byte(`{"1":"#fff"}`)},
		"nodata=5&resampling=cubic":        {NoData: &five, Resampling: "cubic"},
		"unscale=false":                    {Stored: true},
		"unscale=True&tilesize=512":        {SizePx: 512},
		"scale=2&buffer=0.5&padding=3":     {Scale: 2, BufferPx: 0.5},
		"mask=Shadows,clouds&mask_buffer=40.5&return_mask=false": {Mask: []string{"clouds", "shadows"}, MaskBufferM: 40.5, Opaque: true},
		"rescale=2%25,98%25": {Percentiles: &[2]float64{2, 98}},
		"rescale=p0.5,p99":   {Percentiles: &[2]float64{0.5, 99}},
		"bidx=3&bidx=1":      {Bidx: []int{3, 1}},
		"bidx=3,1&reproject=bilinear&asset_as_band=true": {Bidx: []int{3, 1}, Resampling: "bilinear"},
		"assets=data|bidx=2,1&assets=B04":                {Assets: []string{"data_b2", "data_b1", "B04"}},
		"assets=B04,data&asset_bidx=data|2,1":            {Assets: []string{"B04", "data_b2", "data_b1"}},
		"asset_bidx=data|2":                              {Assets: []string{"data_b2"}},
	} {
		values, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parse(query(values))
		if len(got.Colormap) == 0 {
			got.Colormap = nil
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
	}
	values, _ := url.ParseQuery("nodata=nan")
	if got, err := parse(query(values)); err != nil || got.NoData == nil || !math.IsNaN(*got.NoData) {
		t.Errorf("nodata=nan: %v, %v", got.NoData, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"asset=B04":                     `"asset" is not known here; there are render, assets`,
		"max_size=4":                    `"max_size" is not known here`,
		"assets=data|expression=b1":     "only bands can be chosen",
		"asset_bidx=1,2":                "not asset|bands",
		"asset_bidx=data|0":             "number of a band",
		"rescale=2%25,98":               "not a number",
		"bidx=one":                      "not a number",
		"mask_buffer=wide":              "not a number",
		"return_mask=perhaps":           "neither true nor false",
		"render=a&render=b":             `"render" is given 2 times`,
		"rescale=0":                     "pairs",
		"rescale=0,1,2":                 "pairs",
		"rescale=0,one":                 `"one" is not a number`,
		"rescale=,":                     `"" is not a number`,
		"nodata=none":                   `"none" is not a number`,
		"nodata=inf":                    `"inf" is not a number`,
		"unscale=maybe":                 "neither true nor false",
		"tilesize=0":                    "from 1",
		"tilesize=256.5":                "from 1",
		"tilesize=99999999999999999999": "from 1",
	} {
		values, err := url.ParseQuery(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parse(query(values)); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want fault.Invalid saying %s", text, err, says)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("render=ndvi&assets=B04,B08&rescale=0,1,0,2&nodata=nan&unscale=true&tilesize=512")
	f.Add("rescale=,&assets=,,,&nodata=&colormap={}")
	f.Add("rescale=1e999,-1e999&nodata=0x1p-2&tilesize=+5")
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		r, err := parse(query(values))
		if err != nil {
			if kind, public := fault.Of(err); kind != fault.Invalid || len(public) > 1000+len(text) {
				t.Fatalf("%v: %d bytes", kind, len(public))
			}
			return
		}
		for name := range values {
			if !strings.Contains(" "+strings.Join(known, " ")+" ", " "+name+" ") {
				t.Fatalf("%q passed", name)
			}
		}
		if r.NoData != nil && math.IsInf(*r.NoData, 0) || r.SizePx < 0 {
			t.Fatalf("%+v", r)
		}
	})
}
