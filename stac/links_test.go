package stac

import (
	"encoding/json"
	"strings"
	"testing"
)

// stored is an item as the catalog keeps it.
func stored() Item {
	return Item{Collection: "sentinel-2-l1c", ID: "S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042", Body: json.RawMessage(
		`{"type":"Feature","stac_version":"1.1.0","id":"S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042",` +
			`"collection":"sentinel-2-l1c","geometry":{"type":"Point","coordinates":[152.5,-27.5]},"bbox":[152,-28,153,-27],` +
			`"properties":{"datetime":"2018-06-29T00:02:41.024Z","description":"an \"href\":\"swath:/x\" in words"},"assets":{` +
			`"B04":{"href":"swath:/collections/c/items/i/assets/B04","type":"image/tiff; application=geotiff; profile=cloud-optimized",` +
			`"swath:object":"c/i/1/B04.tif","title":"Red & more"},"far":{"href":"https://elsewhere.example/x.tif"}}}`)}
}

func TestServedItemDiffersOnlyInLinksAndHrefs(t *testing.T) {
	it := stored()
	l := Links{Base: "https://eo.example/stac"}
	served := l.AppendItem(nil, it)
	var got struct{ Links []Link }
	if err := json.Unmarshal(served, &got); err != nil {
		t.Fatalf("%v in %s", err, served)
	}
	rels := ""
	for _, link := range got.Links {
		rels += link.Rel + " "
	}
	if rels != "self parent collection root alternate preview tilejson xyz " {
		t.Errorf("links %s", rels)
	}
	_, rest, _ := strings.Cut(string(served), "],")
	want := strings.ReplaceAll(string(it.Body[1:]), `"href":"swath:/coll`, `"href":"https://eo.example/stac/coll`) // not the words in the description
	if rest != want {
		t.Errorf("served body\n%s\nwant\n%s", rest, want)
	}
	if !strings.Contains(rest, `"swath:object":"c/i/1/B04.tif"`) {
		t.Error("the object key is gone")
	}
}

func TestStrangeNamesAreEscaped(t *testing.T) {
	l := Links{Base: "http://h"}
	for _, it := range []Item{
		{Collection: `c"d`, ID: `a b/c?d#e%f+g"h\i<é`, Body: json.RawMessage(`{}`)},
		{Collection: "c", ID: "i", Body: json.RawMessage("{ \n}")},
		{Collection: "c", ID: "i", Body: json.RawMessage("{ \n\"id\": \"i\"}")},
	} {
		var got struct{ Links []Link }
		served := l.AppendItem(nil, it)
		if err := json.Unmarshal(served, &got); err != nil {
			t.Fatalf("%v in %s", err, served)
		}
		if it.ID != "i" && got.Links[0].Href != "http://h/collections/c%22d/items/a%20b%2Fc%3Fd%23e%25f%2Bg%22h%5Ci%3C%C3%A9" {
			t.Errorf("self is %s", got.Links[0].Href)
		}
	}
}

func BenchmarkAppendItem(b *testing.B) {
	it := stored()
	dst := make([]byte, 0, len(it.Body)+LinkBytes)
	b.ReportAllocs()
	for b.Loop() {
		dst = Links{Base: "http://127.0.0.1:8080"}.AppendItem(dst[:0], it)
	}
	b.SetBytes(int64(len(dst)))
}
