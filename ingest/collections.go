package ingest

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"swath/fault"
	"swath/stac"
)

//go:embed collections/*.json
var documents embed.FS

// collectionID is what a collection may be called: it becomes part of addresses and object keys.
var collectionID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$`)

// KnowsCollection reports whether a collection of this name is one that products go into, whether it is there yet or not.
func KnowsCollection(id string) bool {
	_, err := fs.Stat(documents, "collections/"+id+".json")
	return err == nil
}

// EnsureCollection creates a collection that is missing: from its document, or an empty one for a name that has none.
func (in *Ingester) EnsureCollection(ctx context.Context, id string) error {
	if !collectionID.MatchString(id) {
		return fault.New(fault.Invalid, "collection %q: letters, digits, '.', '_' and '-' only, at most 100", id)
	}
	if _, err := in.Catalog.Collection(ctx, id); !fault.Is(err, fault.NotFound) {
		return err
	}
	body, err := documents.ReadFile("collections/" + id + ".json")
	if err != nil {
		body, err = json.Marshal(map[string]any{
			"type": "Collection", "stac_version": "1.1.0", "id": id, "title": id,
			"description": "Items that were ingested into " + id + ".", "license": "other",
			"extent": map[string]any{
				"spatial":  map[string]any{"bbox": [][]float64{{-180, -90, 180, 90}}},
				"temporal": map[string]any{"interval": [][]any{{nil, nil}}},
			},
		})
		if err != nil {
			return err
		}
	}
	return in.Catalog.PutCollection(ctx, stac.Collection{ID: id, Body: body})
}

// AddPresets gives the collections that have a document here the presets of it that they lack: such as came with a newer version of
// the program. A preset that is there stays as it is; one that is null is declined.
func AddPresets(ctx context.Context, catalog stac.Editor) error {
	files, err := documents.ReadDir("collections")
	if err != nil {
		return err
	}
	for _, file := range files {
		document, err := documents.ReadFile("collections/" + file.Name())
		if err != nil {
			return err
		}
		_, err = catalog.ChangeCollection(ctx, strings.TrimSuffix(file.Name(), ".json"), func(old *stac.Collection) (*stac.Collection, error) {
			if old == nil {
				return nil, nil
			}
			body, err := stac.WithPresets(old.Body, document)
			return &stac.Collection{ID: old.ID, Body: body}, err
		})
		if err != nil {
			return fmt.Errorf("ingest: presets of %s: %w", file.Name(), err)
		}
	}
	return nil
}

// putCollectionDocument stores a collection document that lies beside its items.
func (in *Ingester) putCollectionDocument(ctx context.Context, path string) error {
	body, err := readDocument(path)
	if err != nil {
		return err
	}
	var head struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(body, &head); err != nil {
		return fault.New(fault.Invalid, "%s: %v", path, err)
	}
	if !collectionID.MatchString(head.ID) {
		return fault.New(fault.Invalid, "%s: collection %q: letters, digits, '.', '_' and '-' only, at most 100", path, head.ID)
	}
	if err := in.Catalog.PutCollection(ctx, stac.Collection{ID: head.ID, Body: body}); err != nil {
		return fmt.Errorf("ingest: collection %s: %w", head.ID, err)
	}
	return nil
}
