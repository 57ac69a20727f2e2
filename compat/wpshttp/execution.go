package wpshttp

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"strings"

	"swath/chains"
	"swath/fault"
	"swath/processes"
	"swath/sentinel/safe"
)

// execution is what an Execute asks.
type execution struct {
	process string
	inputs  []input         // one for each value
	outputs map[string]bool // those that are wanted, and whether as references; empty: all
	raw     string          // the one output that is wanted itself; empty: a document
	store   bool            // the answer comes at once, and says where the status is
}

// input is one value of an input.
type input struct {
	name, text, href, media string
	base64                  bool
}

// executionOf reads key and value pairs.
func executionOf(values map[string]string) (e execution, err error) {
	e = execution{process: values["identifier"], outputs: map[string]bool{}}
	for _, one := range split(values["datainputs"], ";") {
		name, rest, ok := strings.Cut(one, "=")
		if !ok {
			return e, invalid("datainputs", "%.100q is not name=value", one)
		}
		in := input{name: strings.TrimSpace(name)}
		parts := strings.Split(rest, "@")
		in.text = parts[0]
		for _, attribute := range parts[1:] {
			key, value, ok := strings.Cut(attribute, "=")
			switch key = strings.ToLower(strings.TrimPrefix(strings.ToLower(key), "xlink:")); {
			case !ok || !known(key): // an @ of the value itself
				in.text += "@" + attribute
			case key == "href":
				in.href = value
			case key == "mimetype":
				in.media = value
			case key == "encoding":
				in.base64 = strings.EqualFold(value, "base64")
			}
		}
		e.inputs = append(e.inputs, in)
	}
	for _, one := range split(values["responsedocument"], ";") {
		name, attributes, _ := strings.Cut(one, "@")
		e.outputs[strings.TrimSpace(name)] = strings.Contains(strings.ToLower(attributes), "asreference=true")
	}
	e.raw, _, _ = strings.Cut(values["rawdataoutput"], "@")
	for _, name := range []string{"status", "storeexecuteresponse"} {
		switch strings.ToLower(values[name]) {
		case "true":
			e.store = true
		case "", "false":
		default:
			return e, invalid(name, "%s is %.60q; it may be true or false", name, values[name])
		}
	}
	return e, nil
}

// known reports whether an attribute of a value is one of WPS' own (05-007r7, table 47).
func known(key string) bool {
	switch key {
	case "href", "mimetype", "encoding", "schema", "uom", "datatype", "method":
		return true
	}
	return false
}

// executeXML is the XML of the three requests, elements and attributes by their local names.
type executeXML struct {
	XMLName     xml.Name
	Service     string   `xml:"service,attr"`
	Version     string   `xml:"version,attr"`
	Identifiers []string `xml:"Identifier"`
	Inputs      []struct {
		Identifier string
		Reference  *struct {
			Href     string `xml:"href,attr"`
			MimeType string `xml:"mimeType,attr"`
		}
		Literal *string `xml:"Data>LiteralData"`
		Complex *struct {
			MimeType string `xml:"mimeType,attr"`
			Encoding string `xml:"encoding,attr"`
			Text     string `xml:",chardata"`
			Inside   []struct {
				XMLName xml.Name
			} `xml:",any"`
		} `xml:"Data>ComplexData"`
		Box *struct {
			Lower string `xml:"LowerCorner"`
			Upper string `xml:"UpperCorner"`
		} `xml:"Data>BoundingBoxData"`
	} `xml:"DataInputs>Input"`
	Document *struct {
		Store   bool `xml:"storeExecuteResponse,attr"`
		Status  bool `xml:"status,attr"`
		Outputs []struct {
			Identifier  string
			AsReference bool `xml:"asReference,attr"`
		} `xml:"Output"`
	} `xml:"ResponseForm>ResponseDocument"`
	Raw *struct {
		Identifier string
	} `xml:"ResponseForm>RawDataOutput"`
}

// readXML reads the body of a POST: what is asked, of which processes, and the execution.
func readXML(body []byte) (kind string, identifiers []string, e execution, err error) {
	var x executeXML
	if err := safe.UnmarshalXML("the request", body, &x); err != nil {
		return "", nil, e, err
	}
	if x.Service != "" && !strings.EqualFold(x.Service, "WPS") {
		return "", nil, e, invalid("service", "service is %.60q; this is a WPS", x.Service)
	}
	if x.Version != "" && x.Version != version {
		return "", nil, e, wrong{fault.New(fault.Invalid, "version is %.60q; this is %s", x.Version, version), "VersionNegotiationFailed", "version"}
	}
	for _, id := range x.Identifiers {
		identifiers = append(identifiers, strings.TrimSpace(id))
	}
	e.outputs = map[string]bool{}
	if len(identifiers) > 0 {
		e.process = identifiers[0]
	}
	for _, one := range x.Inputs {
		in := input{name: strings.TrimSpace(one.Identifier)}
		switch {
		case one.Reference != nil:
			in.href, in.media = one.Reference.Href, one.Reference.MimeType
		case one.Literal != nil:
			in.text = *one.Literal
		case one.Complex != nil && len(one.Complex.Inside) > 0:
			return "", nil, e, invalid(in.name, "the input %.60q is XML; complex values are JSON or base64 here", in.name)
		case one.Complex != nil:
			in.text, in.media, in.base64 = one.Complex.Text, one.Complex.MimeType, strings.EqualFold(one.Complex.Encoding, "base64")
		case one.Box != nil:
			in.text = strings.Join(append(strings.Fields(one.Box.Lower), strings.Fields(one.Box.Upper)...), ",")
		default:
			return "", nil, e, invalid(in.name, "the input %.60q has no value", in.name)
		}
		e.inputs = append(e.inputs, in)
	}
	if x.Document != nil {
		e.store = x.Document.Store || x.Document.Status
		for _, o := range x.Document.Outputs {
			e.outputs[strings.TrimSpace(o.Identifier)] = o.AsReference
		}
	}
	if x.Raw != nil {
		e.raw = strings.TrimSpace(x.Raw.Identifier)
	}
	return x.XMLName.Local, identifiers, e, nil
}

// request makes what the engine is asked.
func (e execution) request(chain chains.Chain) (r processes.Request, err error) {
	r.Inputs = map[string]json.RawMessage{}
	lists := map[string][]json.RawMessage{}
	for _, in := range e.inputs {
		f, ok := chain.Input(in.name)
		if !ok {
			return r, invalid(in.name, "the process %s has no input %.60q; it has %s", chain.ID, in.name, strings.Join(chains.Names(chain.Inputs), ", "))
		}
		if len(lists[in.name]) > 0 && !f.Many {
			return r, invalid(in.name, "the input %.60q takes one value", in.name)
		}
		var value json.RawMessage
		if value, err = in.value(f); err != nil {
			return r, err
		}
		lists[in.name] = append(lists[in.name], value)
	}
	for name, list := range lists {
		r.Inputs[name] = list[0]
		if f, _ := chain.Input(name); f.Many && (len(list) > 1 || !strings.HasPrefix(string(list[0]), "[")) {
			if r.Inputs[name], err = json.Marshal(list); err != nil {
				return r, err
			}
		}
	}
	r.Outputs = map[string]processes.OutputAsked{}
	if e.raw != "" {
		e.outputs = map[string]bool{e.raw: false}
	}
	for name, reference := range e.outputs {
		if _, ok := chain.Output(name); !ok {
			return r, invalid(name, "the process %s has no output %.60q; it has %s", chain.ID, name, strings.Join(chains.Names(chain.Outputs), ", "))
		}
		r.Outputs[name] = processes.OutputAsked{Transmission: map[bool]string{true: "reference", false: "value"}[reference]}
	}
	return r, nil
}

// value makes JSON of a value.
func (in input) value(f chains.Field) (json.RawMessage, error) {
	if in.href != "" {
		return json.Marshal(map[string]string{"href": in.href, "type": in.media})
	}
	one := f
	one.Many = false
	if f.Many && strings.HasPrefix(strings.TrimSpace(in.text), "[") {
		one.Many = true
	}
	if f.Kind != chains.AFile || strings.HasPrefix(in.text, "http://") || strings.HasPrefix(in.text, "https://") {
		return one.Read(in.text), nil
	}
	text := strings.TrimSpace(in.text)
	if !in.base64 {
		text = base64.StdEncoding.EncodeToString([]byte(in.text))
	}
	return json.Marshal(map[string]string{"value": text, "mediaType": in.media, "encoding": "base64"})
}
