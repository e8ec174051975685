// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
)

//go:embed catalogue/*.yaml
var catalogueFiles embed.FS

// Catalogue is every built-in scenario, by family and as listed in its file.
func Catalogue() ([]Scenario, error) { return readCatalogue(catalogueFiles) }

func readCatalogue(files fs.FS) ([]Scenario, error) {
	names, err := fs.Glob(files, "catalogue/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list the catalogue: %w", err)
	}
	var all []Scenario
	for _, name := range names {
		list, err := readFamily(files, name)
		if err != nil {
			return nil, fmt.Errorf("read the catalogue: %w", err)
		}
		all = append(all, list...)
	}
	return all, nil
}

func readFamily(files fs.FS, name string) (list []Scenario, err error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return DecodeFS(path.Base(name), f, nil)
}
