package s1

import (
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"swath/sentinel/safe"
)

// The types below are elements' contents whose mistakes name the element; package safe adds file and line.

type number float64

func (n *number) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	text, err := content(d, start)
	if err != nil {
		return err
	}
	v, err := parseFinite(text)
	if err != nil {
		return fmt.Errorf("%s: %w", start.Name.Local, err)
	}
	*n = number(v)
	return nil
}

type integer int

func (n *integer) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	text, err := content(d, start)
	if err != nil {
		return err
	}
	v, err := parseInt(text)
	if err != nil {
		return fmt.Errorf("%s: %w", start.Name.Local, err)
	}
	*n = integer(v)
	return nil
}

type instant struct{ time.Time }

func (i *instant) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	text, err := content(d, start)
	if err != nil {
		return err
	}
	if i.Time, err = safe.ParseTime(text); err != nil {
		return fmt.Errorf("%s: %w", start.Name.Local, err)
	}
	return nil
}

type numbers []float64

func (n *numbers) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	values, err := list(d, start, parseFinite)
	*n = values
	return err
}

type integers []int

func (n *integers) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	values, err := list(d, start, parseInt)
	*n = values
	return err
}

func content(d *xml.Decoder, start xml.StartElement) (string, error) {
	var text string
	err := d.DecodeElement(&text, &start)
	return strings.TrimSpace(text), err
}

// list reads values between spaces, as many as the attribute count says.
func list[T any](d *xml.Decoder, start xml.StartElement, parse func(string) (T, error)) ([]T, error) {
	text, err := content(d, start)
	if err != nil {
		return nil, err
	}
	var values []T
	for word := range strings.FieldsSeq(text) {
		v, err := parse(word)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", start.Name.Local, err)
		}
		values = append(values, v)
	}
	for _, a := range start.Attr {
		if a.Name.Local == "count" && a.Value != strconv.Itoa(len(values)) {
			return nil, fmt.Errorf("%s: %d values, and its count is %.20q", start.Name.Local, len(values), a.Value)
		}
	}
	return values, nil
}

func parseFinite(text string) (float64, error) {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%.40q is not a number", text)
	}
	return v, nil
}

func parseInt(text string) (int, error) {
	v, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%.40q is not a whole number", text)
	}
	return v, nil
}
