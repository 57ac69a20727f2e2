package chains

import (
	"encoding/json"
	"strconv"
	"strings"
)

// Read makes JSON of texts as people type them into forms and command lines: a text is a value, or a JSON list of all. What is meant
// for a number and is none is kept as text, so that Validate says what is wrong. An http address of a file, product or item is a
// reference to it, four or six numbers with commas are a box.
func (f Field) Read(texts ...string) json.RawMessage {
	if !f.Many && len(texts) > 0 {
		return f.read(texts[0])
	}
	var list []json.RawMessage
	if len(texts) == 1 && json.Unmarshal([]byte(texts[0]), &list) == nil {
		return json.RawMessage(texts[0])
	}
	list = make([]json.RawMessage, len(texts))
	for i, text := range texts {
		list[i] = f.read(text)
	}
	return asJSON(list)
}

func (f Field) read(text string) json.RawMessage {
	bare := strings.TrimSpace(text)
	if f.Kind == Value {
		if f.Schema["type"] == "string" {
			return asJSON(text)
		}
		if numbers := numbersOf(bare); f.Schema["format"] == "ogc-bbox" && numbers != nil {
			return asJSON(BBox{BBox: numbers})
		}
		if json.Valid([]byte(bare)) {
			return json.RawMessage(bare)
		}
		return asJSON(text)
	}
	if strings.HasPrefix(bare, "http://") || strings.HasPrefix(bare, "https://") {
		return asJSON(map[string]string{"href": bare})
	}
	if strings.HasPrefix(bare, "{") && json.Valid([]byte(bare)) {
		return json.RawMessage(bare)
	}
	return asJSON(text)
}

// numbersOf reads numbers between commas; nil when one of them is none.
func numbersOf(text string) (numbers []float64) {
	for part := range strings.SplitSeq(text, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil {
			return nil
		}
		numbers = append(numbers, v)
	}
	return numbers
}

// asJSON is for what always can be JSON.
func asJSON(v any) json.RawMessage {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return body
}
