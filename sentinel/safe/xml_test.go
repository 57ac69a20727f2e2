package safe_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"swath/fault"
	"swath/sentinel/safe"
)

type document struct {
	A string `xml:"a"`
	N int    `xml:"n"`
}

func decode(body string) (document, error) {
	var d document
	err := safe.DecodeXML(fstest.MapFS{"d.xml": {Data: []byte(body)}}, "d.xml", &d)
	return d, err
}

func TestDecodeXML(t *testing.T) {
	for body, want := range map[string]document{
		`<x><a>é &amp; b</a><n>3</n></x>`:                                             {"é & b", 3},
		`<p:x xmlns:p="urn:p"><p:a>1</p:a></p:x>`:                                     {"1", 0},
		"<?xml version='1.0' encoding='ISO-8859-1'?><x><a>Orl\xe9ans \xff</a></x>":    {"Orléans ÿ", 0},
		"\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?><!-- c --><x><a>1</a></x>\n": {"1", 0},
	} {
		if got, err := decode(body); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", body, got, err, want)
		}
	}
}

func TestDecodeXMLRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ body, want string }{
		"external entity": {"<?xml version='1.0'?>\n<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>\n<x><a>&e;</a></x>", "d.xml, line 2: a DOCTYPE"},
		"late doctype":    {"<x>\n<!DOCTYPE y></x>", "DOCTYPE"},
		"unknown entity":  {"<x>\n\n<a>&e;</a></x>", "d.xml, line 3: invalid character entity"},
		"empty":           {"", "d.xml is empty"},
		"no element":      {"<?xml version='1.0'?>", "no XML element"},
		"cut":             {"<x>\n<a>1</a>", "d.xml, line 2: unexpected EOF"},
		"crossed":         {"<x><a></x></a>", "closed by"},
		"not a number":    {"<x><n>three</n></x>", `"three"`},
		"deep":            {strings.Repeat("<x>", 65), "more than 64 deep"},
		"encoding":        {"<?xml version='1.0' encoding='UTF-7'?><x/>", "neither UTF-8 nor"},
		"large":           {"<x>" + strings.Repeat(" ", safe.MaxXMLBytes), "more than 67108864 bytes"},
	} {
		_, err := decode(tc.body)
		if _, public := fault.Of(err); !fault.Is(err, fault.Invalid) || !strings.Contains(public, tc.want) || !strings.Contains(public, "d.xml") {
			t.Errorf("%s: error %v, want one about %q", name, err, tc.want)
		}
	}
	if err := safe.DecodeXML(fstest.MapFS{}, "gone.xml", &document{}); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "gone.xml is missing") {
		t.Errorf("missing: %v", err)
	}
}
