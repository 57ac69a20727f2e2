package ingest

import (
	"path/filepath"
	"slices"
	"strings"
)

// IsProduct tells by its name, and of a folder by what lies in it, whether something is one product; what is wrong inside is found when it
// is read. A folder with a STAC item is one: what lies beside it are its assets.
func IsProduct(path string, dir bool) bool {
	if !dir {
		switch strings.ToLower(filepath.Ext(path)) {
		case ".zip", ".tif", ".tiff":
			return true
		}
		return false
	}
	if kindOfFolder(path) != 0 {
		return true
	}
	documents, _ := filepath.Glob(filepath.Join(path, "*.json"))
	return slices.ContainsFunc(documents, func(document string) bool { return kindOfDocument(document) == kindItem })
}
