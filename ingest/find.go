package ingest

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"swath/fault"
)

// kind says which reader a product needs.
type kind int

const (
	kindSAFE       kind = iota + 1 // a Sentinel product: a .SAFE folder, or a zip
	kindDIMAP                      // a SPOT product: a folder with METADATA.DIM or DIM_*.XML, or a zip
	kindRaster                     // a GeoTIFF
	kindItem                       // a STAC item with its assets beside it
	kindCollection                 // a STAC collection
)

// found is one product that Find saw.
type found struct {
	path string // absolute
	kind kind
}

// maxDocumentBytes bounds a STAC document; real ones have some kilobytes.
const maxDocumentBytes = 16 << 20

// find returns the products at a path. A folder that is no product itself is searched, collections before their items; a
// folder that holds STAC documents is taken by these alone (its rasters are their assets).
func find(path string) ([]found, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Invalid, "%s: no such file or folder", path)
	} else if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		k, err := kindOfFile(path, info.Size())
		if err != nil {
			return nil, err
		}
		return []found{{path, k}}, nil
	}
	return findIn(path)
}

// findIn searches a folder.
func findIn(dir string) ([]found, error) {
	if k := kindOfFolder(dir); k != 0 {
		return []found{{dir, k}}, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var documents, rasters, others []found
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch extension := strings.ToLower(filepath.Ext(e.Name())); {
		case strings.HasPrefix(e.Name(), "."):
		case e.IsDir():
			inside, err := findIn(path)
			if err != nil {
				return nil, err
			}
			others = append(others, inside...)
		case extension == ".json" || extension == ".geojson":
			if k := kindOfDocument(path); k != 0 {
				documents = append(documents, found{path, k})
			}
		case extension == ".zip":
			k, err := kindOfZip(path)
			if err != nil {
				k = kindSAFE // its reader says what is wrong, so that the refusal is recorded like any other
			}
			others = append(others, found{path, k})
		case extension == ".tif" || extension == ".tiff":
			rasters = append(rasters, found{path, kindRaster})
		}
	}
	if len(documents) > 0 {
		sort.SliceStable(documents, func(i, j int) bool { return documents[i].kind > documents[j].kind })
		return append(documents, others...), nil
	}
	return append(rasters, others...), nil
}

// kindOfFolder tells whether a folder is a product; 0 when it is not.
func kindOfFolder(dir string) kind {
	if strings.HasSuffix(strings.ToUpper(dir), ".SAFE") {
		return kindSAFE
	}
	for _, name := range []string{"manifest.safe", "MTD_MSIL1C.xml", "MTD_MSIL2A.xml"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return kindSAFE
		}
	}
	for _, pattern := range []string{"METADATA.DIM", "metadata.dim", "DIM_*.XML"} {
		if names, _ := filepath.Glob(filepath.Join(dir, pattern)); len(names) > 0 {
			return kindDIMAP
		}
	}
	return 0
}

// kindOfFile tells what a file is that was named on purpose.
func kindOfFile(path string, size int64) (kind, error) {
	if size == 0 {
		return 0, fault.New(fault.Invalid, "%s: the file is empty", path)
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".zip":
		return kindOfZip(path)
	case ".tif", ".tiff":
		return kindRaster, nil
	case ".json", ".geojson":
		if k := kindOfDocument(path); k != 0 {
			return k, nil
		}
		return 0, fault.New(fault.Invalid, "%s: neither a STAC item nor a STAC collection", path)
	}
	return 0, fault.New(fault.Invalid, "%s: not a product that Swath knows (a SAFE or DIMAP folder or zip, a GeoTIFF, a STAC item)", path)
}

// kindOfDocument tells whether a JSON file is a STAC item or collection; 0 when it is neither.
func kindOfDocument(path string) kind {
	var head struct {
		Type        string `json:"type"`
		StacVersion string `json:"stac_version"`
	}
	if body, err := readDocument(path); err != nil || json.Unmarshal(body, &head) != nil || head.StacVersion == "" {
		return 0
	}
	switch head.Type {
	case "Feature":
		return kindItem
	case "Collection":
		return kindCollection
	}
	return 0
}

// readDocument reads a JSON file of bounded size.
func readDocument(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxDocumentBytes {
		return nil, fault.New(fault.Invalid, "%s: %d bytes are too many for a STAC document (at most %d)", path, info.Size(), maxDocumentBytes)
	}
	return os.ReadFile(path)
}

// kindOfZip tells what a zip holds by the names in its directory; the reader checks everything else.
func kindOfZip(path string) (kind, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return 0, fault.Wrap(fault.Invalid, err, "%s: not a readable zip", path)
	}
	defer z.Close()
	for _, f := range z.File {
		base := strings.ToUpper(f.Name[strings.LastIndexByte(f.Name, '/')+1:])
		switch {
		case strings.Contains(strings.ToUpper(f.Name), ".SAFE/"), base == "MANIFEST.SAFE", strings.HasPrefix(base, "MTD_MSI"):
			return kindSAFE, nil
		case base == "METADATA.DIM", strings.HasPrefix(base, "DIM_") && strings.HasSuffix(base, ".XML"):
			return kindDIMAP, nil
		}
	}
	return 0, fault.New(fault.Invalid, "%s: the zip holds neither a SAFE nor a DIMAP product", path)
}
