package safe

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"swath/fault"
)

// Limits of an XML document. The largest real one, a Sentinel-2 datastrip's MTD_DS.xml, has 19 MB and is 14 deep.
const (
	MaxXMLBytes = 64 << 20
	MaxXMLDepth = 64
)

// ReadFile returns the content of a metadata file of at most MaxXMLBytes. A missing, empty, oversized or damaged one is
// fault.Invalid and named.
func ReadFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, readFault(err, name)
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, MaxXMLBytes+1))
	switch {
	case err != nil:
		return nil, readFault(err, name)
	case len(body) == 0:
		return nil, fault.New(fault.Invalid, "%s is empty", name)
	case len(body) > MaxXMLBytes:
		return nil, fault.New(fault.Invalid, "%s has more than %d bytes", name, MaxXMLBytes)
	}
	return body, nil
}

// DecodeXML decodes a file into v as encoding/xml does, elements of any namespace by their local names. It refuses DOCTYPE
// (and with it entities), depth above MaxXMLDepth, and every size that ReadFile refuses; errors name the file and line.
func DecodeXML(fsys fs.FS, name string, v any) error {
	body, err := ReadFile(fsys, name)
	if err != nil {
		return err
	}
	return UnmarshalXML(name, body, v)
}

// UnmarshalXML is DecodeXML of a document that is in memory; errors call it by name.
func UnmarshalXML(name string, body []byte, v any) error {
	g := &guard{inner: xml.NewDecoder(bytes.NewReader(body))}
	g.inner.CharsetReader = charset
	if err := xml.NewTokenDecoder(g).Decode(v); err != nil {
		line, _ := g.inner.InputPos()
		var syntax *xml.SyntaxError
		switch {
		case errors.As(err, &syntax):
			return fault.New(fault.Invalid, "%s, line %d: %s", name, line, syntax.Msg)
		case errors.Is(err, io.EOF):
			return fault.New(fault.Invalid, "%s: no XML element", name)
		}
		return fault.New(fault.Invalid, "%s, line %d: %v", name, line, err)
	}
	return nil
}

// guard passes on the tokens of a decoder while they are harmless.
type guard struct {
	inner *xml.Decoder
	depth int
}

func (g *guard) Token() (xml.Token, error) {
	token, err := g.inner.RawToken()
	if err != nil {
		return nil, err
	}
	switch token.(type) {
	case xml.Directive:
		return nil, errors.New("a DOCTYPE or other directive is not allowed")
	case xml.StartElement:
		if g.depth++; g.depth > MaxXMLDepth {
			return nil, fmt.Errorf("elements are nested more than %d deep", MaxXMLDepth)
		}
	case xml.EndElement:
		g.depth--
	}
	return token, nil
}

// charset decodes Latin-1, in which older DIMAP documents are written. Everything else must be UTF-8.
func charset(label string, input io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "us-ascii", "ascii":
		return input, nil
	case "iso-8859-1", "latin1":
		body, err := io.ReadAll(input)
		runes := make([]rune, len(body))
		for i, b := range body {
			runes[i] = rune(b)
		}
		return strings.NewReader(string(runes)), err
	}
	return nil, fmt.Errorf("encoding %.40q is neither UTF-8 nor ISO-8859-1", label)
}
