//go:build ignore

// Trim shortens an annotation, calibration or noise file of Sentinel-1 to the parts that package s1 reads: lists keep their
// first and last entries, tables every 40th value, counts are set right. Everything kept is as ESA wrote it.
//
//	go run trim.go < product.xml > short.xml
package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"log"
	"os"
	"slices"
	"strconv"
	"strings"
)

type element struct {
	name     string
	attrs    []xml.Attr
	text     string
	children []*element
}

// dropped are the parts that nothing reads.
var dropped = []string{
	"qualityInformation", "downlinkInformationList", "attitudeList", "rawDataAnalysisList", "replicaInformationList", "noiseList",
	"terrainHeightList", "azimuthFmRateList", "sliceList", "imageStatistics", "processingInformation", "dopplerCentroid",
	"antennaPattern", "swathTiming",
}

// keep is how many entries of a list stay at each end; of lists not named here, all do.
var keep = map[string]int{"geolocationGridPointList": 21, "coordinateConversionList": 1, "calibrationVectorList": 1, "noiseRangeVectorList": 1, "noiseVectorList": 1}

func main() {
	root, err := read(xml.NewDecoder(os.Stdin))
	if err != nil {
		log.Fatal(err)
	}
	trim(root)
	var out bytes.Buffer
	out.WriteString(xml.Header)
	write(&out, root, "")
	if _, err := os.Stdout.Write(out.Bytes()); err != nil {
		log.Fatal(err)
	}
}

func read(d *xml.Decoder) (*element, error) {
	stack := []*element{{}}
	for {
		token, err := d.Token()
		if err == io.EOF {
			return stack[0].children[0], nil
		} else if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch t := token.(type) {
		case xml.StartElement:
			e := &element{name: t.Name.Local, attrs: slices.Clone(t.Attr)}
			top.children = append(top.children, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
}

func trim(e *element) {
	e.children = slices.DeleteFunc(e.children, func(c *element) bool { return slices.Contains(dropped, c.name) })
	count := len(e.children)
	if n := keep[e.name]; n > 0 && count > 2*n {
		e.children = append(e.children[:n:n], e.children[count-n:]...)
	}
	count = len(e.children)
	if words := strings.Fields(e.text); len(words) > 40 {
		var kept []string
		for i := 0; i < len(words); i += 40 {
			kept = append(kept, words[i])
		}
		e.text, count = strings.Join(kept, " "), len(kept)
	} else if count == 0 {
		count = len(words)
	}
	for i, a := range e.attrs {
		if a.Name.Local == "count" {
			e.attrs[i].Value = strconv.Itoa(count)
		}
	}
	for _, c := range e.children {
		trim(c)
	}
}

func write(out *bytes.Buffer, e *element, indent string) {
	fmt.Fprintf(out, "%s<%s", indent, e.name)
	for _, a := range e.attrs {
		fmt.Fprintf(out, " %s=%q", a.Name.Local, a.Value)
	}
	if len(e.children) == 0 {
		fmt.Fprintf(out, ">%s</%s>\n", strings.TrimSpace(e.text), e.name)
		return
	}
	out.WriteString(">\n")
	for _, c := range e.children {
		write(out, c, indent+" ")
	}
	fmt.Fprintf(out, "%s</%s>\n", indent, e.name)
}
