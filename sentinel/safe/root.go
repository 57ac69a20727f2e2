package safe

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"swath/fault"
)

// maxRootDepth is how many folders down a product may lie; archives made of a folder of products' parents have one or two.
const maxRootDepth = 4

// markers are the files, in lower case, that make their folder a product: SAFE, Sentinel-2 without its manifest and as the
// public buckets keep it, DIMAP 1 and 2.
var markers = []string{"manifest.safe", "mtd_msil*.xml", "s2?_oper_mtd_saf*.xml", "metadata.xml", "metadata.dim", "vol_*.xml", "dim_*.xml", "spot_vol.xml"}

// findRoot returns the folder of the one product in a file system: the one nearest to the top.
func findRoot(whole fs.FS, name string) (string, error) {
	level := []string{"."}
	for range maxRootDepth + 1 {
		var roots, below []string
		for _, dir := range level {
			entries, err := fs.ReadDir(whole, dir)
			if err != nil {
				return "", readFault(err, path.Join(name, dir))
			}
			if isRoot(dir, entries) {
				roots = append(roots, dir)
				continue
			}
			for _, e := range entries {
				if e.IsDir() {
					below = append(below, path.Join(dir, e.Name()))
				}
			}
		}
		switch {
		case len(roots) == 1:
			return roots[0], nil
		case len(roots) > 1:
			return "", fault.New(fault.Invalid, "%s: %d products (%s, %s …); one is expected", name, len(roots), path.Base(roots[0]), path.Base(roots[1]))
		case len(below) > maxEntries:
			return "", fault.New(fault.Invalid, "%s: more than %d folders", name, maxEntries)
		}
		level = below
	}
	return "", fault.New(fault.Invalid, "%s: not a product: no manifest.safe, MTD_MSIL1C.xml, MTD_MSIL2A.xml, metadata.xml, METADATA.DIM or DIM_*.XML", name)
}

// isRoot tells whether a folder with these entries is a product.
func isRoot(dir string, entries []fs.DirEntry) bool {
	if strings.HasSuffix(strings.ToUpper(dir), ".SAFE") {
		return true
	}
	return slices.ContainsFunc(entries, func(e fs.DirEntry) bool {
		return !e.IsDir() && slices.ContainsFunc(markers, func(pattern string) bool {
			matched, err := path.Match(pattern, strings.ToLower(e.Name()))
			return err == nil && matched
		})
	})
}

// readFault names the file that could not be read. A file that is missing, damaged or outside is the product's fault; the
// rest, like a failing disk, is ours.
func readFault(err error, name string) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.Wrap(fault.Invalid, err, "%s is missing", name)
	case isDamage(err):
		return fault.Wrap(fault.Invalid, err, "%s is damaged", name)
	case strings.Contains(err.Error(), "path escapes from parent"): // os.Root exports no error for it
		return fault.Wrap(fault.Invalid, err, "%s leads out of the product", name)
	}
	return fault.Wrap(fault.Internal, err, "safe: read %s", name)
}
