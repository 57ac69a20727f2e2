package contract

import (
	"os"
	"path/filepath"
)

// WriteSchemas writes the schemas into a folder, {host}/{path} each, for validators that are not written in Go.
func WriteSchemas(dir string) error {
	lib, err := openLibrary()
	if err != nil {
		return err
	}
	for address, body := range lib.bodies {
		path := filepath.Join(dir, filepath.FromSlash(address))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, body, 0o644); err != nil {
			return err
		}
	}
	return nil
}
