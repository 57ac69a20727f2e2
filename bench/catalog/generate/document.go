package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// document is a collection: its line, and what it says of its items' assets.
type document struct {
	line   []byte
	assets map[string]json.RawMessage
}

func readDocuments(folder string) (map[string]document, error) {
	all := map[string]document{}
	for _, name := range collectionNames {
		body, err := os.ReadFile(filepath.Join(folder, name+".json"))
		if err != nil {
			return nil, err
		}
		var d struct {
			Assets map[string]json.RawMessage `json:"item_assets"`
		}
		var line bytes.Buffer
		if err := json.Unmarshal(body, &d); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if err := json.Compact(&line, body); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all[name] = document{line.Bytes(), d.Assets}
	}
	return all, nil
}

// asset is one asset of a style: the fields of item_assets, and its own, in which $1 to $9 stand for what differs by item.
type asset struct{ name, href, own string }

// template is text with places for what differs.
type template struct {
	parts []string
	slots []byte // after each part but the last
}

func (w *writer) fill(t template, values *[10]string) {
	for i, part := range t.parts {
		w.out = append(w.out, part...)
		if i < len(t.slots) {
			w.out = append(w.out, values[t.slots[i]]...)
		}
	}
}

// assetsTemplate writes the member assets of a collection's items.
func (d document) assetsTemplate(assets []asset) template {
	var text strings.Builder
	text.WriteString(`"assets":{`)
	for i, a := range assets {
		fields := strings.TrimSpace(string(d.assets[a.name]))
		if len(fields) < 2 {
			panic("no item_assets of " + a.name)
		}
		var line bytes.Buffer
		if err := json.Compact(&line, []byte(fields)); err != nil {
			panic(err)
		}
		fmt.Fprintf(&text, `%s"%s":{"href":"%s",%s`, strings.Repeat(",", min(i, 1)), a.name, a.href, line.String()[1:line.Len()-1])
		if a.own != "" {
			text.WriteString("," + a.own)
		}
		text.WriteString("}")
	}
	text.WriteString("}")
	return newTemplate(text.String())
}

func newTemplate(text string) template {
	var t template
	for {
		i := strings.IndexByte(text, '$')
		if i < 0 {
			t.parts = append(t.parts, text)
			return t
		}
		t.parts, t.slots = append(t.parts, text[:i]), append(t.slots, text[i+1]-'0')
		text = text[i+2:]
	}
}
