// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"

	"github.com/u-root/u-root/pkg/ldd"

	"skleak/scenarios"
)

// wantedPrograms lists what the scenarios want of this machine.
func wantedPrograms(list []scenarios.Scenario) []scenarios.Program {
	var out []scenarios.Program
	for _, sc := range list {
		for _, n := range scenarios.Needs(sc) {
			for _, p := range n.Programs {
				if !slices.Contains(out, p) {
					out = append(out, p)
				}
			}
		}
	}
	return out
}

// loaderCache says where libraries are that lie off the loader's own path
// (ld.so(8)).
const loaderCache = "/etc/ld.so.cache"

// programFiles maps paths in the guest to files of this machine: the programs,
// their loader and their libraries. A program that this machine has not is left
// out: the guest finds out by trying, and says so in its skip.
func programFiles(wanted []scenarios.Program) (map[string]string, error) {
	files := map[string]string{}
	for _, p := range wanted {
		from, err := findProgram(p.Name)
		if err != nil {
			return nil, err
		}
		if from == "" {
			continue
		}
		libraries, err := ldd.List(from)
		if err != nil {
			return nil, fmt.Errorf("find the libraries of %s for the guest: %w", from, err)
		}
		files[p.Path] = from
		for _, lib := range libraries {
			files[lib] = lib
		}
	}
	if _, err := os.Stat(loaderCache); err == nil && len(files) > 0 {
		files[loaderCache] = loaderCache
	}
	return files, nil
}

// findProgram looks where an ordinary user's PATH does not lead, too. It is ""
// when there is none.
func findProgram(name string) (string, error) {
	for _, file := range []string{name, "/usr/sbin/" + name, "/sbin/" + name} {
		path, err := exec.LookPath(file)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, exec.ErrNotFound) && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("look for %s for the guest: %w", name, err)
		}
	}
	return "", nil
}
