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

// program is a program of this machine that a guest gets.
type program struct {
	// name is what it is looked for by, sbin included.
	name string
	// guest is where the guest has it.
	guest string
}

// iodinePrograms are iodined and what it calls: a shell that is to run ifconfig
// with PATH=/sbin:/bin (iodine's src/tun.c).
func iodinePrograms() []program {
	return []program{
		{"iodined", "/usr/sbin/iodined"},
		{"sh", "/bin/sh"},
		{"ifconfig", "/sbin/ifconfig"},
	}
}

// wantedPrograms lists what the scenarios want of this machine.
func wantedPrograms(list []scenarios.Scenario) []program {
	isIodine := func(l scenarios.Link) bool { return l.Kind() == "iodine" }
	for _, sc := range list {
		if slices.ContainsFunc(sc.Links, isIodine) {
			return iodinePrograms()
		}
	}
	return nil
}

// loaderCache says where libraries are that lie off the loader's own path
// (ld.so(8)).
const loaderCache = "/etc/ld.so.cache"

// programFiles maps paths in the guest to files of this machine: the programs,
// their loader and their libraries. A program that this machine has not is left
// out: the guest finds out by trying, and says so in its skip.
func programFiles(wanted []program) (map[string]string, error) {
	files := map[string]string{}
	for _, p := range wanted {
		from, err := findProgram(p.name)
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
		files[p.guest] = from
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
