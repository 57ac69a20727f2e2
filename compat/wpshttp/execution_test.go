package wpshttp

import (
	"encoding/json"
	"errors"
	"testing"

	"swath/chains/echo"
	"swath/fault"
	"swath/processes"
)

// same reports whether a request is a JSON text, whatever the order of its members.
func same(t *testing.T, r processes.Request, want string) bool {
	t.Helper()
	var a, b any
	got, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(json.Unmarshal(got, &a), json.Unmarshal([]byte(want), &b)); err != nil {
		t.Fatal(err)
	}
	one, _ := json.Marshal(a)
	two, _ := json.Marshal(b)
	return string(one) == string(two)
}

func TestPairsBecomeARequest(t *testing.T) {
	for pairs, want := range map[string]string{
		"stringInput=a":                              `{"inputs":{"stringInput":"a"}}`,
		" stringInput=a ; doubleInput=2.5 ;":         `{"inputs":{"stringInput":"a","doubleInput":2.5}}`,
		"stringInput=ada@example.org":                `{"inputs":{"stringInput":"ada@example.org"}}`,
		"stringInput=a=b@uom=m@datatype=string":      `{"inputs":{"stringInput":"a=b"}}`,
		"arrayInput=1;arrayInput=2":                  `{"inputs":{"arrayInput":[1,2]}}`,
		"arrayInput=[1,2]":                           `{"inputs":{"arrayInput":[1,2]}}`,
		"arrayInput=1":                               `{"inputs":{"arrayInput":[1]}}`,
		"boundingBoxInput=1,2,3,4":                   `{"inputs":{"boundingBoxInput":{"bbox":[1,2,3,4]}}}`,
		"imageInput=@xlink:href=http://x/a.png":      `{"inputs":{"imageInput":{"href":"http://x/a.png","type":""}}}`,
		"imageInput=YQ==@encoding=base64":            `{"inputs":{"imageInput":{"value":"YQ==","mediaType":"","encoding":"base64"}}}`,
		"imageInput=a@mimeType=text/plain":           `{"inputs":{"imageInput":{"value":"YQ==","mediaType":"text/plain","encoding":"base64"}}}`,
		`productInput={"item":"i","collection":"c"}`: `{"inputs":{"productInput":{"item":"i","collection":"c"}}}`,
	} {
		e, err := executionOf(map[string]string{"identifier": "echo", "datainputs": pairs})
		if err != nil {
			t.Errorf("%s: %v", pairs, err)
			continue
		}
		if r, err := e.request(echo.Chain()); err != nil || !same(t, r, want) {
			t.Errorf("%s: %+v, %v, want %s", pairs, r, err, want)
		}
	}
}

const posted = `<?xml version="1.0"?>
<wps:Execute xmlns:wps="http://www.opengis.net/wps/1.0.0" xmlns:ows="http://www.opengis.net/ows/1.1" xmlns:xlink="http://www.w3.org/1999/xlink" service="WPS" version="1.0.0">
 <ows:Identifier>echo</ows:Identifier>
 <wps:DataInputs>
  <wps:Input><ows:Identifier>stringInput</ows:Identifier><wps:Data><wps:LiteralData>a &lt; b</wps:LiteralData></wps:Data></wps:Input>
  <wps:Input><ows:Identifier>measureInput</ows:Identifier><wps:Data><wps:ComplexData mimeType="application/json"><![CDATA[{"measurement":1,"uom":"m"}]]></wps:ComplexData></wps:Data></wps:Input>
  <wps:Input><ows:Identifier>boundingBoxInput</ows:Identifier><wps:Data><wps:BoundingBoxData><ows:LowerCorner>1 2</ows:LowerCorner><ows:UpperCorner>3 4</ows:UpperCorner></wps:BoundingBoxData></wps:Data></wps:Input>
  <wps:Input><ows:Identifier>imageInput</ows:Identifier><wps:Reference xlink:href="http://x/a.png" mimeType="image/png"/></wps:Input>
 </wps:DataInputs>
 <wps:ResponseForm><wps:ResponseDocument storeExecuteResponse="true" status="true">
  <wps:Output asReference="true"><ows:Identifier>imageOutput</ows:Identifier></wps:Output><wps:Output><ows:Identifier>stringOutput</ows:Identifier></wps:Output>
 </wps:ResponseDocument></wps:ResponseForm>
</wps:Execute>`

func TestXMLBecomesARequest(t *testing.T) {
	kind, _, e, err := readXML([]byte(posted))
	if err != nil || kind != "Execute" || e.process != "echo" || !e.store {
		t.Fatalf("%s %+v %v", kind, e, err)
	}
	r, err := e.request(echo.Chain())
	if err != nil || !same(t, r, `{"inputs":{"stringInput":"a < b","measureInput":{"measurement":1,"uom":"m"},"boundingBoxInput":{"bbox":[1,2,3,4]},
		"imageInput":{"href":"http://x/a.png","type":"image/png"}},"outputs":{"imageOutput":{"transmissionMode":"reference"},"stringOutput":{"transmissionMode":"value"}}}`) {
		t.Errorf("%+v, %v", r, err)
	}
}

func FuzzExecution(f *testing.F) {
	f.Add("stringInput=a@mimeType=text/plain;arrayInput=1;arrayInput=[2", "stringOutput=@asReference=true;x", []byte(posted))
	chain := echo.Chain()
	f.Fuzz(func(t *testing.T, inputs, outputs string, body []byte) {
		e, err := executionOf(map[string]string{"identifier": "echo", "datainputs": inputs, "responsedocument": outputs})
		_, _, fromXML, wrongXML := readXML(body)
		for _, one := range []struct {
			execution
			error
		}{{e, err}, {fromXML, wrongXML}} {
			if one.error == nil {
				var r processes.Request
				if r, one.error = one.request(chain); one.error == nil {
					if _, err := json.Marshal(r); err != nil {
						t.Fatalf("%q %q make a request that is no JSON: %v", inputs, body, err)
					}
					continue
				}
			}
			if !fault.Is(one.error, fault.Invalid) {
				t.Fatalf("%q %q: %v", inputs, body, one.error)
			}
		}
	})
}
