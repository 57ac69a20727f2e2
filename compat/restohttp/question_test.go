package restohttp

import (
	"net/url"
	"strings"
	"testing"

	"swath/stac/cql2"
)

func TestQuestion(t *testing.T) {
	for query, want := range map[string]string{
		"productType=&sensorMode=":                       "",
		"cloudCover=[0,20]":                              `"eo:cloud_cover" >= 0 AND "eo:cloud_cover" <= 20`,
		"cloudCover=]5,20[":                              `"eo:cloud_cover" > 5 AND "eo:cloud_cover" < 20`,
		"cloudCover=20]":                                 `"eo:cloud_cover" <= 20`,
		"cloudCover=[20":                                 `"eo:cloud_cover" >= 20`,
		"orbitNumber={1,2}":                              `"sat:absolute_orbit" IN (1, 2)`,
		"orbitNumber=7":                                  `"sat:absolute_orbit" = 7`,
		"productType=S2MSI1C":                            `"product:type" = 'S2MSI1C'`,
		"processingLevel=LEVEL1C":                        `"processing:level" = 'L1C'`,
		"platform=S2A":                                   `platform = 'sentinel-2a'`,
		"platform=S2A|S2B":                               `platform IN ('sentinel-2a', 'sentinel-2b')`,
		"tileid=31TCJ":                                   `"grid:code" = 'MGRS-31TCJ'`,
		"orbitDirection=DESCENDING":                      `"sat:orbit_state" = 'descending'`,
		"sensorMode=INS-NOBS":                            `constellation = 'sentinel-2'`,
		"sensorMode=IW":                                  `"sar:instrument_mode" = 'IW'`,
		"polarisation=VV VH":                             `A_CONTAINS("sar:polarizations", ('VV', 'VH'))`,
		"productIdentifier=S2A_X.SAFE":                   `id = 'S2A_X'`,
		"instrument=SAR-C SAR":                           `A_CONTAINS(instruments, ('c-sar'))`,
		"cloudCover=[0,20]&tileid=T31TCJ":                `"grid:code" = 'MGRS-31TCJ' AND "eo:cloud_cover" >= 0 AND "eo:cloud_cover" <= 20`,
		"startDate=2020-02-01&completionDate=2020-01-01": `FALSE`,
	} {
		values, err := url.ParseQuery(strings.ReplaceAll(query, " ", "%20"))
		if err != nil {
			t.Fatal(err)
		}
		q, err := parse("S2ST", []string{"c"}, values)
		got := ""
		if q.Filter != nil {
			got = cql2.String(q.Filter)
		}
		if strip := strings.NewReplacer("(", "", ")", "", `"`, ""); err != nil || strip.Replace(got) != strip.Replace(want) {
			t.Errorf("%s: %s, %v; want %s", query, got, err, want)
		}
	}
	for _, wrong := range []string{"maxRecords=0", "page=x", "box=1,2,3", "geometry=POLYGON((", "geometry=POINT(1 2)) OR (1=1", "lat=4", "lat=1&lon=2&radius=-1",
		"cloudCover=[0;20]", "cloudCover=NaN", "startDate=yesterday", "isNrt=perhaps", "nonsense=1", "box=1,2,3,4&lat=1&lon=2", "lat=91&lon=0"} {
		values, err := url.ParseQuery(strings.ReplaceAll(wrong, ";", "%3B"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parse("S2ST", []string{"c"}, values); err == nil {
			t.Errorf("%s is taken", wrong)
		}
	}
}

func TestPaging(t *testing.T) {
	for query, want := range map[string][2]int{"": {50, 1}, "maxRecords=9999": {500, 1}, "maxRecords=10&page=3": {10, 21}, "index=7&page=3": {50, 7}} {
		values, _ := url.ParseQuery(query)
		if q, err := parse("S1", nil, values); err != nil || q.Limit != want[0] || q.index != want[1] {
			t.Errorf("%q: %d from %d, %v", query, q.Limit, q.index, err)
		}
	}
	q, err := parse("S2", nil, url.Values{"completionDate": {"2020-01-01"}})
	if err != nil || q.Datetime == nil || q.Datetime.End.Year() != 2016 {
		t.Errorf("products of many tiles: %v, %v", q.Datetime, err)
	}
}

func FuzzQuestion(f *testing.F) {
	f.Add("cloudCover=[0,20]&geometry=POLYGON((1 43,2 43,2 44,1 44,1 43))&startDate=2020-01-01&maxRecords=500&page=2")
	f.Add("lat=43&lon=1&radius=5000&polarisation=VV+VH&orbitNumber={1,2}&identifier=x&q=Toulouse")
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		q, err := parse("S2", []string{"c"}, values)
		if err == nil && q.Filter != nil {
			if _, err := cql2.ParseText(cql2.String(q.Filter)); err != nil {
				t.Fatalf("%q becomes %s, which is no filter: %v", query, cql2.String(q.Filter), err)
			}
		}
	})
}
