package odata

import (
	"fmt"
	"strings"
	"testing"

	"swath/stac/cql2"
)

const known = "204841f7-2ab8-8f2a-a4ff-b5670f0f7f31"

var names = Names{
	Collections: func(name string) []string {
		if name == "SENTINEL-2" {
			return []string{"sentinel-2-l1c", "sentinel-2-l2a"}
		}
		return nil
	},
	Product: func(uuid string) (string, string, bool, error) { return "c", "i", uuid == known, nil },
}

func TestParseFilter(t *testing.T) {
	for filter, want := range map[string]string{
		"Collection/Name eq 'SENTINEL-2'": `collection IN ('sentinel-2-l1c', 'sentinel-2-l2a')`,
		"Collection/Name eq 'NONE'":       `FALSE`,
		"Name eq 'S2A_X.SAFE'":            `id = 'S2A_X'`,
		"Name eq 'it''s'":                 `id = 'it''s'`,
		"contains(Name,'S2A_')":           `id LIKE '%S2A\_%'`,
		"startswith(Name, 'S1') eq true":  `id LIKE 'S1%'`,
		"not endswith(Name,'_COG.SAFE')":  `NOT id LIKE '%\_COG'`,
		"contains(Name,'S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042')": `id = 'S2A_MSIL1C_20180629T000241_N0206_R030_T56JMM_20180629T012042'`,
		"Name in ('a','b.SAFE')":                          `id = 'a' OR id = 'b'`,
		"Id eq " + known:                                  `id = 'i' AND collection = 'c'`,
		"Id eq '00000000-0000-0000-0000-000000000000'":    `FALSE`,
		"PublicationDate ge 2024-01-02T03:04:05.123456Z":  `swath:published >= TIMESTAMP('2024-01-02T03:04:05.123456Z')`,
		"ModificationDate lt 2024-01-02T03:04:05+02:00":   `swath:modified < TIMESTAMP('2024-01-02T01:04:05Z')`,
		"ContentDate/Start gt '2024-01-02T00:00:00.000Z'": `datetime > TIMESTAMP('2024-01-02T00:00:00Z')`,
		"Attributes/OData.CSC.StringAttribute/any(att:att/Name eq 'productType' and att/OData.CSC.StringAttribute/Value eq 'S2MSI1C')":      `product:type = 'S2MSI1C'`,
		"Attributes/OData.CSC.DoubleAttribute/any(x:x/Name eq 'cloudCover' and x/OData.CSC.DoubleAttribute/Value le 20.5)":                  `eo:cloud_cover <= 20.5`,
		"Attributes/OData.CSC.IntegerAttribute/any(att:att/Name eq 'orbitNumber' and att/OData.CSC.StringAttribute/Value eq '7')":           `sat:absolute_orbit = 7`,
		"Attributes/OData.CSC.StringAttribute/any(att:att/Name eq 'unheardOf' and att/OData.CSC.StringAttribute/Value eq 'x')":              `FALSE`,
		"Attributes/OData.CSC.StringAttribute/any(att:att/Name eq 'orbitDirection' and att/OData.CSC.StringAttribute/Value eq 'ASCENDING')": `sat:orbit_state = 'ascending'`,
		"OData.CSC.Intersects(area=geography'SRID=4326;POINT(1 2)')":                                                                        `S_INTERSECTS(geometry, POINT(1 2))`,
		"(Name eq 'a' or Name eq 'b') and not (Name eq 'c')":                                                                                `(id = 'a' OR id = 'b') AND NOT id = 'c'`,
		"Name eq 'a' or Name eq 'b' and Name eq 'c'":                                                                                        `id = 'a' OR id = 'b' AND id = 'c'`,
		"Online eq true":                        `swath:online = TRUE`,
		"Online ne true":                        `swath:online = FALSE`,
		"ContentLength gt 1000000000":           `swath:bytes > 1e+09`,
		"DeletionCause eq 'Obsolete product'":   `NOT deprecated IS NULL AND deprecated = TRUE`,
		"DeletionCause eq 'Other'":              `deprecated IS NULL OR NOT deprecated = TRUE`,
		"DeletionCause eq 'Duplicated product'": `FALSE`,
		"DeletionCause ne 'Corrupted product'":  `TRUE`,
	} {
		n, err := ParseFilter(filter, names)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		if plain := strings.NewReplacer("(", "", ")", "", `"`, "", " ", ""); plain.Replace(cql2.String(n)) != plain.Replace(want) {
			t.Errorf("%s: %s, want %s", filter, cql2.String(n), want)
		}
	}
	if n, err := ParseFilter(" ", names); n != nil || err != nil {
		t.Errorf("nothing: %v, %v", n, err)
	}
	deep := strings.Repeat("(", 100) + "Name eq 'a'" + strings.Repeat(")", 100)
	for _, wrong := range []string{"x", "Name", "Name eq", "Name eq a", "Name eq 'a' and", "(Name eq 'a'", "Name eq 'a')", "Name like 'a'", "Size gt 3", "PublicationDate ge 'x'",
		"contains(Id,'a')", "OData.CSC.Intersects(area=geography'SRID=3857;POINT(1 2)')", "OData.CSC.Intersects(area=geography'SRID=4326;POINT(1 2)) OR (1=1')", "Online eq 'yes'", "Online gt true", "ContentLength eq 'x'", "DeletionCause gt 'Other'",
		"Attributes/OData.CSC.StringAttribute/any(a:a/Name eq 'x')", "Attributes/OData.CSC.StringAttribute/any(a:b/Name eq 'x' and a/OData.CSC.StringAttribute/Value eq 'y')", "Name eq 'a", deep} {
		if n, err := ParseFilter(wrong, names); err == nil {
			t.Errorf("%s is taken for %s", wrong, cql2.String(n))
		}
	}
}

// TestSplit: what is said of Online is taken out, where it is joined by and.
func TestSplit(t *testing.T) {
	for filter, want := range map[string]string{
		"Online eq true": "<nil> true", "Name eq 'a' and Online eq false": `id = 'a' false`, "Name eq 'a'": `id = 'a' any`, "": "<nil> any",
		"Online eq false and Online eq true": "FALSE any", "Online eq true or Name eq 'a'": "refused", "not (Online eq true)": "refused",
		"Name eq 'a' and Online eq true and ContentLength gt 5": `id = 'a' AND swath:bytes > 5 true`,
	} {
		n, err := ParseFilter(filter, names)
		if err != nil {
			t.Fatal(err)
		}
		got := "refused"
		if rest, online, err := Split(n); err == nil {
			if got = "<nil>"; rest != nil {
				got = cql2.String(rest)
			}
			if online == nil {
				got += " any"
			} else {
				got += fmt.Sprint(" ", *online)
			}
		}
		if plain := strings.NewReplacer("(", "", ")", "", `"`, ""); plain.Replace(got) != want {
			t.Errorf("%s: %s, want %s", filter, got, want)
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	f.Add("Collection/Name eq 'SENTINEL-2' and PublicationDate ge 2024-01-02T03:04:05.123456Z and not (contains(Name,'a''b%_') or Id eq " + known + ")")
	f.Add("Attributes/OData.CSC.StringAttribute/any(att:att/Name eq 'polarisationChannels' and att/OData.CSC.StringAttribute/Value eq 'VV&VH') and ContentDate/End lt 2024-01-01T00:00:00Z")
	f.Add("OData.CSC.Intersects(area=geography'SRID=4326;POLYGON((1 43,2 43,2 44,1 44,1 43))')")
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseFilter(text, names)
		if err != nil || n == nil {
			return
		}
		if _, err := cql2.ParseText(cql2.String(n)); err != nil {
			t.Fatalf("%q becomes %s, which is no filter: %v", text, cql2.String(n), err)
		}
		cql2.Match(n, &cql2.Item{Body: []byte(`{"id":"a","properties":{}}`)})
	})
}
