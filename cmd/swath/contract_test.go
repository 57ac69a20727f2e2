package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"swath/ingest"
	"swath/internal/contract"
)

const item56JMM = "/collections/sentinel-2-l1c/items/S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042"

// TestContract holds the whole app, with real products in it, against the OpenAPI document: routes both ways, then answers.
func TestContract(t *testing.T) {
	needsProgram(t)
	cfg, log := defaultConfig(), slog.New(slog.NewTextHandler(io.Discard, nil))
	cfg.Data = dataFolder(t)
	s, err := openStores(t.Context(), cfg, log, owner)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	in := &ingest.Ingester{Objects: s.objects, Catalog: s.catalog, Work: s.work, Log: log}
	if _, err := in.Ingest(context.Background(), scenes, ingest.Options{}); err != nil {
		t.Fatal(err)
	}
	app := newApp(s, cfg, log, nil, nil)
	contract.Routes(t, app)
	client := contract.Client(t, app)

	byURL := "&url=http://example.com" + item56JMM
	ndvi := "expression=" + url.QueryEscape("(B08-B04)/(B08+B04)")
	for target, want := range map[string]int{
		"/": 200, "/?f=html": 200, "/conformance": 200, "/api": 200, "/api.html": 200, "/healthz": 200, "/readyz": 200, "/metrics": 200,
		"/auth/login": 200, "/auth/login?f=json": 200, "/auth/login?by=issuer": 404, "/auth/callback": 404, "/account": 401, "/account/export": 401, "/account/keys": 401,
		"/processes": 200, "/processes?f=html": 200, "/processes/s1ortho?f=html": 200, "/processes/s1tiling": 200, "/processes/none": 404, "/jobs": 200, "/jobs?f=html": 200, "/jobs/none": 404,
		"/collections": 200, "/collections?f=html": 200, "/collections/sentinel-2-l1c": 200, "/collections/none": 404,
		"/queryables": 200, "/collections/barbellino/queryables": 200,
		"/collections/barbellino/items": 200, "/collections/barbellino/items?limit=1": 200, "/collections/barbellino/items?limit=0": 400,
		item56JMM: 200, item56JMM + "?f=html": 200, "/collections/barbellino/items/none": 404,
		"/search": 200, "/search?bbox=152,-31,153,-29": 200, "/search?bbox=1,2,3": 400, "/search?datetime=yesterday": 400, "/search?token=abc": 400,
		"/search?colections=x": 400, "/search?ids=none": 200,
		item56JMM + "/assets/B04": 200, item56JMM + "/assets/none": 404, item56JMM + "/assets/product-metadata": 200,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.png?render=ndvi":                                                     200,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.jpg?render=true-color":                                               200,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.webp?assets=B04,B03,B02&rescale=0,0.3":                               200,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.png?" + ndvi + "&rescale=-1,1&colormap_name=rdylgn":                  200,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.gif":                                                                 400,
		item56JMM + "/tiles/WebMercatorQuad/25/236/150.png":                                                                400,
		item56JMM + "/tiles/WebMercatorQuad/8/256/150.png":                                                                 400,
		item56JMM + "/tiles/WebMercatorQuad/8/-1/150.png":                                                                  400,
		item56JMM + "/tiles/Mars/8/236/150.png":                                                                            404,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.png?render=none":                                                     404,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.png?assets=B99":                                                      400,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.png?expression=" + url.QueryEscape("(B08-"):                          400,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.png?expression=" + url.QueryEscape(strings.Repeat("B08+", 70)+"B08"): 400,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.png?rescale=1,0&assets=B04":                                          400,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.png?colormap_name=none&assets=B04":                                   400,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.png?colourmap=x":                                                     400,
		item56JMM + "/tilejson.json?render=ndvi":                                                                           200, item56JMM + "/map.html?render=ndvi": 200, item56JMM + "/map.js": 200,
		item56JMM + "/preview/200x100.png?render=ndvi&dst_crs=EPSG:32756": 200, item56JMM + "/preview/0x100.png": 400, item56JMM + "/preview?dst_crs=x": 400,
		item56JMM + "/bbox/152.1,-30.5,152.3,-30.25.png?render=ndvi&max_size=100": 200, item56JMM + "/bbox/152.1,-30.5,152.3,-30.25/64x32.webp?render=ndvi": 200,
		item56JMM + "/bbox/152.1,-30.5.png": 400, item56JMM + "/bbox/152.3,-30.5,152.1,-30.25.png": 400, item56JMM + "/bbox/1,2,3,4/9000x9000.png?render=ndvi": 413,
		item56JMM + "/statistics?" + ndvi: 200, item56JMM + "/statistics?assets=B04&p=5&p=95&categorical=true&c=1,2": 200, item56JMM + "/statistics?p=200&assets=B04": 400,
		item56JMM + "/histogram?assets=B04&histogram_bins=5&histogram_range=0,1": 200, item56JMM + "/info.geojson": 200, item56JMM + "/bounds": 200, item56JMM + "/assets": 200,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.png?assets=B04&rescale=2%25,98%25&return_mask=false": 200, item56JMM + "/preview?assets=B04,B08&bidx=2&max_size=64": 200,
		item56JMM + "/preview?assets=B04&mask=clouds": 400, item56JMM + "/preview?assets=B04|bidx=1&asset_bidx=B03|1&asset_bidx=B02|1&max_size=64": 200,
		"/collections/sentinel-2-l1c/tiles/WebMercatorQuad/8/236/150.png?render=true-color": 200, "/collections/sentinel-2-l1c/tiles/WorldCRS84Quad/8/472/171?render=ndvi": 200,
		"/collections/sentinel-2-l1c/tiles/WebMercatorQuad/8/236/150@2x.webp?render=ndvi&pixel_selection=median&datetime=2018-01-01T00:00:00Z/..&items_limit=5":     200,
		"/collections/sentinel-2-l1c/tiles/WebMercatorQuad/8/236/150.png?render=ndvi&filter=" + url.QueryEscape(`"eo:cloud_cover" < 50`) + "&sortby=eo:cloud_cover": 200,
		"/collections/sentinel-2-l1c/tiles/WebMercatorQuad/8/236/150/assets?render=ndvi":                                                                            200,
		"/collections/sentinel-2-l1c/tiles/WebMercatorQuad/8/236/150.png?pixel_selection=best":                                                                      400,
		"/collections/sentinel-2-l1c/tiles/WebMercatorQuad/8/236/150.png?expression=B04":                                                                            400,
		"/collections/sentinel-2-l1c/tiles/WebMercatorQuad/8/236/150.png?items_limit=2000":                                                                          400,
		"/collections/sentinel-2-l1c/tiles/WebMercatorQuad/8/236/150.png?datetime=yesterday":                                                                        400,
		"/collections/none/tiles/WebMercatorQuad/8/236/150.png?assets=B04":                                                                                          200, // as a search of it
		"/collections/sentinel-2-l1c/footprints/WebMercatorQuad/8/236/150.mvt":                                                                                      200, "/collections/sentinel-2-l1c/footprints/WebMercatorQuad/8/236/950.mvt": 400,
		"/collections/sentinel-2-l1c/footprints/WorldCRS84Quad/8/236/150.mvt": 404,
		item56JMM + "/data.tif?assets=B04,B08&bbox=152.1,-30.5,152.3,-30.25":  200, item56JMM + "/data.csv?" + ndvi + "&bbox=152.1,-30.5,152.3,-30.25&dst_crs=EPSG:4326&max_size=20": 200,
		item56JMM + "/data.nc?render=ndvi&bbox=152.1,-30.5,152.3,-30.25": 200, item56JMM + "/data.tif?assets=B04&width=60000": 413, item56JMM + "/data.tif?assets=B04&rescale=0,1": 400,
		"/stac/WebMercatorQuad/tilejson.json?assets=B04" + byURL: 200, "/stac/tiles/WebMercatorQuad/8/236/150@2x.png?render=ndvi" + byURL: 200, "/stac/assets?" + byURL: 200, "/stac/bounds?" + byURL: 200,
		"/stac/info?" + byURL: 200, "/stac/info.geojson?" + byURL: 200, "/stac/statistics?assets=B04" + byURL: 200, "/stac/point/152.3,-30.3?assets=B04" + byURL: 200, "/stac/preview?render=ndvi" + byURL: 200,
		"/stac/info?url=http://example.org/x": 400, "/cog/tiles/WebMercatorQuad/8/236/150.png?" + byURL: 400, "/cog/tiles/WebMercatorQuad/8/236/150?" + byURL + "/assets/B04": 200, "/cog/preview.png?max_size=64" + byURL + "/assets/B04": 200,
		item56JMM + "/angles": 200, item56JMM + "/angles?bands=B04,B8A": 200, item56JMM + "/angles?bands=B99": 400, item56JMM + "/orbit": 404, "/collections/barbellino/items/none/angles": 404, item56JMM + "/orbit?x=1": 400,
		item56JMM + "/data.zarr?assets=B04": 400, item56JMM + "/data.tif?assets=B04&bbox=1,43,2,44": 400, item56JMM + "/data.tif?assets=B04&bbox=1,43,2": 400, item56JMM + "/data.tif?assets=B04&resolution=-1": 400,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.npy?assets=B04,B08": 200, item56JMM + "/preview.png?assets=B04&algorithm=hillshade&max_size=64": 200,
		item56JMM + "/preview.png?assets=B04&algorithm=hillshade&algorithm_params=" + url.QueryEscape(`{"azimuth":400}`): 400, item56JMM + "/preview.png?assets=B04&algorithm=paint": 400,
		item56JMM + "/preview.png?assets=B04&rescale=0,1&colormap_type=linear&max_size=64&colormap=" + url.QueryEscape(`{"0":"#000","255":"#fff"}`): 200, item56JMM + "/preview.png?assets=B04&colormap_type=x": 400,
		"/collections/sentinel-2-l1c/tiles/WebMercatorQuad/8/236/150.npy?expression=B04": 200,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150.tif?assets=B04,B08":                200, item56JMM + "/preview.tiff?render=ndvi&max_size=64": 200,
		item56JMM + "/bbox/152.1,-30.5,152.3,-30.25/64x32.tif?assets=B04&unscale=false": 200, "/collections/sentinel-2-l1c/tiles/WebMercatorQuad/8/236/150.tif?expression=B04": 200,
		"/collections/sentinel-2-l1c/tilejson.json?render=ndvi": 200, "/collections/sentinel-2-l1c/map.html": 200, "/collections/sentinel-2-l1c/map.js": 200,
		"/collections/sentinel-2-l1c/tilejson.json?tile_matrix_set=Mars": 400, "/collections/none/tilejson.json": 404,
		"/collections/sentinel-2-l1c/point/152.3,-30.3?assets=B04": 200, "/collections/sentinel-2-l1c/point/152.3,-30.3?" + ndvi + "&f=csv": 200, "/collections/sentinel-2-l1c/point/152,a?assets=B04": 400,
		item56JMM + "/WMTSCapabilities.xml": 200, item56JMM + "/WMTSCapabilities.xml?assets=B04&rescale=0,1": 200, item56JMM + "/UTM56SWGS84Quad/WMTSCapabilities.xml": 200,
		item56JMM + "/GNOSISGlobalGrid/WMTSCapabilities.xml": 400, item56JMM + "/Mars/WMTSCapabilities.xml": 404,
		"/tileMatrixSets": 200, "/tileMatrixSets/UTM56SWGS84Quad": 200, "/tileMatrixSets/CDB1GlobalGrid": 200, "/tileMatrixSets/Mars": 404, "/tileMatrixSets?x=1": 400,
		item56JMM + "/tiles": 200, item56JMM + "/tiles/WorldCRS84Quad": 200, item56JMM + "/tiles/Mars": 404, item56JMM + "/tiles?x=1": 400,
		item56JMM + "/tiles/WorldCRS84Quad/8/472/171.png?render=ndvi": 200, item56JMM + "/tiles/WebMercatorQuad/8/236/150@2x.png?render=ndvi": 200,
		item56JMM + "/tiles/WebMercatorQuad/8/236/150?render=ndvi&buffer=1": 200, item56JMM + "/tiles/WebMercatorQuad/8/236/150@9x.png": 400,
		item56JMM + "/NZTM2000Quad/tilejson.json": 200, item56JMM + "/WebMercatorQuad/map.html?render=ndvi": 302, item56JMM + "/WorldCRS84Quad/map.html": 400,
		item56JMM + "/preview?render=ndvi": 200, item56JMM + "/preview.webp?render=true-color&max_size=200": 200,
		item56JMM + "/point/152.3,-30.3": 200, item56JMM + "/point/152.3,-30.3?" + ndvi: 200, item56JMM + "/point/952.3,-30.3": 400, item56JMM + "/point/a,b": 400,
		"/collections/sentinel-2-l1c/timeseries/point?lon=152.3&lat=-30.3&" + ndvi: 200, "/collections/sentinel-2-l1c/timeseries/point?lon=152.3&lat=-30.3&radius=500&f=csv&sortby=datetime&" + ndvi: 200,
		"/collections/sentinel-2-l1c/animation.gif?bbox=152.1,-30.6,152.5,-30.2&render=ndvi&max_size=100": 200, "/collections/sentinel-2-l1c/animation.mp4?bbox=1,1,2,2": 400,
		"/collections/sentinel-2-l1c/animation.webp?bbox=152.1,-30.6,152.5,-30.2&render=true-color&width=100&fps=10&frame=month": 200, "/collections/sentinel-2-l1c/animation.gif": 400,
		"/collections/sentinel-2-l1c/animation.gif?bbox=1,1,2,2&render=ndvi": 404, "/collections/sentinel-2-l1c/animation.gif?bbox=152.1,-30.6,152.5,-30.2&render=ndvi&width=8000&height=8000": 413,
		"/collections/sentinel-2-l1c/tiles/WebMercatorQuad/8/236/150/provenance.json?render=ndvi": 200, "/collections/sentinel-2-l1c/tiles/WebMercatorQuad/8/236/150/provenance.png?render=ndvi": 200,
		"/tiles/WebMercatorQuad/8/236/150@2x/provenance.tif?collections=sentinel-2-l1c&assets=B04&pixel_selection=highest": 200, "/collections/sentinel-2-l1c/tiles/WebMercatorQuad/8/236/150/provenance.gif": 400,
		"/collections/sentinel-2-l1c/bbox/152.1,-30.5,152.3,-30.25.png?render=ndvi&max_size=100": 200, "/collections/sentinel-2-l1c/bbox/152.1,-30.5,152.3,-30.25/64x32.tif?assets=B04": 200,
		"/collections/sentinel-2-l1c/bbox/152.1,-30.5,152.3,-30.25/provenance.json?render=ndvi&max_size=100": 200, "/collections/sentinel-2-l1c/bbox/152.1,-30.5,152.3,-30.25/64x32/provenance.tif?assets=B04": 200,
		"/collections/sentinel-2-l1c/bbox/1,2,3/provenance.json": 400, "/cog/info?url=x": 400, "/cog/statistics?url=x": 400, "/cog/point/1,2?url=x": 400, "/cog/bbox/1,2,3,4.png?url=x": 400,
		"/collections/sentinel-2-l1c/bbox/1,2,3.png": 400, "/collections/sentinel-2-l1c/bbox/1,2,3,4/9000x9000.png?render=ndvi": 413,
		"/collections/sentinel-2-l1c/timeseries/point?lon=152.3": 400, "/collections/sentinel-2-l1c/timeseries/point?lon=152.3&lat=-30.3&assets=B04&token=abc": 400,
		"/collections/sentinel-2-l1c/tiles?render=ndvi": 200, "/collections/sentinel-2-l1c/tiles/UTM56SWGS84Quad?render=ndvi": 200, "/collections/sentinel-2-l1c/tiles/Mars": 404,
		"/collections/sentinel-2-l1c/WMTSCapabilities.xml": 200, "/collections/sentinel-2-l1c/WebMercatorQuad/WMTSCapabilities.xml?render=ndvi": 200, "/collections/none/tiles": 404,
		"/collections/sentinel-2-l1c/WebMercatorQuad/tilejson.json?render=ndvi": 200, "/collections/sentinel-2-l1c/WebMercatorQuad/map.html": 302,
		"/tiles": 200, "/tiles?collections=sentinel-2-l1c,barbellino": 200, "/tiles/WebMercatorQuad?collections=sentinel-2-l1c": 200, "/tiles?collections=none": 404,
		"/tiles/WebMercatorQuad/8/236/150.png?collections=sentinel-2-l1c&render=ndvi": 200, "/tiles/WebMercatorQuad/8/236/150?render=ndvi": 200,
		"/tiles/WebMercatorQuad/8/236/150/assets?collections=sentinel-2-l1c&assets=B04": 200, "/tilejson.json?render=true-color": 200, "/map.html": 200, "/map.js": 200,
		"/WMTSCapabilities.xml?collections=sentinel-2-l1c": 200, "/footprints/WebMercatorQuad/8/236/150.mvt?collections=sentinel-2-l1c": 200, "/point/152.3,-30.3?assets=B04": 200, "/tiles?colections=x": 400,
		"/datalake/": 200, "/datalake/?f=json": 200, "/datalake/sentinel-2-l1c/2018/06/29/?format=json": 200, "/datalake/sentinel-2-l1c/2018/06/29/": 200, "/datalake/none/": 404, "/datalake/?limit=0": 400,
		"/datalake/sentinel-2-l1c/2018/06/29/" + path.Base(item56JMM) + "/B04.tif": 200, "/datalake/sentinel-2-l1c/2018/06": 301, item56JMM + "/product": 200, "/collections/barbellino/items/none/product": 404,
		item56JMM + "/info": 200, "/colormaps": 200, "/colormaps/viridis": 200, "/ui/icon.svg": 200, "/ui/none": 404, "/none": 404,
	} {
		if got := client.Get(target); got.Status != want {
			t.Errorf("GET %s: %d, want %d: %.200s", target, got.Status, want, got.Body)
		} else if want >= 400 && !strings.HasPrefix(got.Header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("GET %s: %s, want a problem document", target, got.Header.Get("Content-Type"))
		}
	}
	for body, want := range map[string]int{
		`{}`: 200, `{"bbox":[152,-31,153,-29],"limit":1}`: 200, `{"collections":["barbellino"],"datetime":"2019-07-01T00:00:00Z/.."}`: 200,
		`{"intersects":{"type":"Point","coordinates":[10.04,46.07]}}`: 200, `{"bbox":[1,2,3]}`: 400, `{"intersects":{"type":"Blob"}}`: 400, `{`: 400, ``: 400,
	} {
		if got := client.Post("/search", body); got.Status != want {
			t.Errorf("POST /search %s: %d, want %d: %.200s", body, got.Status, want, got.Body)
		}
	}
	const field = `{"type":"Feature","properties":{"a":1},"geometry":{"type":"Polygon","coordinates":[[[152.1,-30.5],[152.3,-30.5],[152.2,-30.3],[152.1,-30.5]]]}}`
	for target, want := range map[string]struct {
		body   string
		status int
	}{
		"/feature?render=ndvi&max_size=64":     {field, 200},
		"/feature.jpg?render=ndvi&max_size=64": {field, 200},
		"/feature/32x32.webp?render=ndvi":      {field, 200},
		"/feature.tif?assets=B04&max_size=64":  {field, 200},
		"/feature?render=ndvi":                 {`{"type":"Feature","geometry":null}`, 400},
		"/feature.png?render=ndvi":             {`{"type":"Point","coordinates":[1,2]}`, 400},
		"/statistics?assets=B04":               {field, 200},
		"/data.tif?assets=B04,B08":             {field, 200},
		"/data.csv?assets=B04&max_size=8":      {field, 200},
		"/data.nc?assets=B04":                  {`{"type":"Point","coordinates":[1,2]}`, 400},
		"/data.tif?assets=B04&bbox=1,2,3,4":    {field, 400},
		"/statistics?" + ndvi:                  {`{"type":"FeatureCollection","features":[` + field + `,` + field + `]}`, 200},
		"/statistics?assets=B08":               {`{"type":"FeatureCollection","features":[7]}`, 400},
		"/statistics?assets=B03":               {`]`, 400},
	} {
		if got := client.Post(item56JMM+target, want.body); got.Status != want.status {
			t.Errorf("POST %s %s: %d, want %d: %.200s", target, want.body, got.Status, want.status, got.Body)
		}
	}
	var registered struct{ ID string }
	got := client.Post("/searches/register", `{"collections":["sentinel-2-l1c"],"filter-lang":"cql2-text","filter":"\"eo:cloud_cover\" < 90","metadata":{"name":"Clear"}}`)
	if err := json.Unmarshal(got.Body, &registered); err != nil || got.Status != 200 {
		t.Fatalf("POST /searches/register: %d %s", got.Status, got.Body)
	}
	search := "/searches/" + registered.ID
	for target, want := range map[string]int{
		search + "/info": 200, "/searches/none/info": 404, "/searches/list?limit=1": 200, "/searches/list?limit=0": 400, search + "/tilejson.json?render=ndvi": 200,
		search + "/map.html": 200, search + "/footprints/WebMercatorQuad/8/236/150.mvt": 200, search + "/map.js": 200, search + "/tiles/WebMercatorQuad/8/236/150.png?render=ndvi": 200, search + "/tiles/WebMercatorQuad/8/236/150@2x?render=ndvi": 200,
		search + "/tiles/WebMercatorQuad/8/236/150/assets?render=ndvi": 200, search + "/tiles/WebMercatorQuad/8/236/150.png?bbox=1,2,3,4": 400,
		search + "/tiles/WebMercatorQuad/8/236/150/provenance.json?assets=B04":          200,
		search + "/animation.gif?bbox=152.1,-30.6,152.5,-30.2&render=ndvi&max_size=100": 200,
		search + "/timeseries/point?lon=152.3&lat=-30.3&radius=100&assets=B04":          200,
		search + "/tiles": 200, search + "/tiles/WebMercatorQuad": 200, search + "/WMTSCapabilities.xml": 200, search + "/WebMercatorQuad/WMTSCapabilities.xml": 200,
		search + "/WebMercatorQuad/tilejson.json?render=ndvi": 200, search + "/WebMercatorQuad/map.html": 302, "/searches/none/tiles": 404,
		search + "/point/152.3,-30.3?assets=B04": 200, "/searches/none/tiles/WebMercatorQuad/8/236/150.png": 404,
	} {
		if got := client.Get(target); got.Status != want {
			t.Errorf("GET %s: %d, want %d: %.200s", target, got.Status, want, got.Body)
		}
	}
	for _, under := range []string{"/collections/sentinel-2-l1c", search} {
		if got := client.Post(under+"/timeseries/polygon?"+ndvi, field); got.Status != 200 {
			t.Errorf("POST %s/timeseries/polygon: %d %.200s", under, got.Status, got.Body)
		}
		for _, path := range []string{"/feature?render=ndvi&max_size=64", "/feature.tif?assets=B04&max_size=64", "/statistics?assets=B04&max_size=64&p=5", "/feature/32x32.webp?render=ndvi"} {
			if got := client.Post(under+path, field); got.Status != 200 {
				t.Errorf("POST %s%s: %d %.200s", under, path, got.Status, got.Body)
			}
		}
		if got := client.Post(under+"/timeseries/polygon?"+ndvi+"&f=csv&width=20", field); got.Status != 200 {
			t.Errorf("POST %s/timeseries/polygon as CSV: %d %.200s", under, got.Status, got.Body)
		}
	}
	if got := client.Post("/searches/register", `{"bbox":[1]}`); got.Status != 400 {
		t.Errorf("a search of one number was registered: %d", got.Status)
	}
	if got := client.Do(http.MethodHead, item56JMM+"/assets/B04", ""); got.Status != 200 || got.Header.Get("ETag") == "" {
		t.Errorf("HEAD of an asset: %d, ETag %q", got.Status, got.Header.Get("ETag"))
	}
	if got := client.Get(item56JMM+"/assets/B04", "Range", "bytes=0-15"); got.Status != 206 || len(got.Body) != 16 {
		t.Errorf("range of an asset: %d with %d bytes", got.Status, len(got.Body))
	}
}
