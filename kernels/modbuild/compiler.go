// SPDX-License-Identifier: GPL-2.0-only

package modbuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// compilerOf gives the compiler the kernel was built with, if it is installed,
// else this machine's own. A module by another one loads all the same: nothing
// checks it, and the symbols' checksums are of their C types.
func compilerOf(headers string) (string, error) {
	data, err := os.ReadFile(filepath.Join(headers, ".kernelvariables"))
	if err != nil {
		return "", fmt.Errorf("which compiler the kernel was built with: %w", err)
	}
	theirs := regexp.MustCompile(`gcc-\d+`).FindString(string(data))
	for _, name := range []string{theirs, "gcc"} {
		if name == "" {
			continue
		}
		if _, err := exec.LookPath(name); err == nil {
			return name, nil
		}
	}
	return "", fmt.Errorf("%s: %w; apt-get install gcc", theirs, ErrNoTool)
}

// newOption is a compiler's option that the kernel's config may rely on and an
// older compiler lacks.
type newOption struct{ config, option string }

// newOptions is the table. Without the first, kbuild asks for -falign-functions
// (arch/Kconfig, FUNCTION_ALIGNMENT).
func newOptions() []newOption {
	return []newOption{{"CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT", "-fmin-function-alignment=16"}}
}

// missingOptions gives assignments for make that turn off what the compiler
// lacks.
func missingOptions(ctx context.Context, compiler string) ([]string, error) {
	var off []string
	for _, o := range newOptions() {
		err := command{argv: []string{compiler, o.option, "-x", "c", "-E", os.DevNull}}.run(ctx)
		var exit *exec.ExitError
		switch {
		case errors.As(err, &exit):
			off = append(off, o.config+"=")
		case err != nil:
			return nil, fmt.Errorf("try the compiler: %w", err)
		}
	}
	return off, nil
}

// version is the compiler's, for the checksum of what it makes.
func compilerVersion(ctx context.Context, compiler string) (string, error) {
	var out strings.Builder
	if err := (command{argv: []string{compiler, "-dumpfullversion"}, out: &out}).run(ctx); err != nil {
		return "", fmt.Errorf("ask the compiler's version: %w", err)
	}
	return compiler + " " + strings.TrimSpace(out.String()), nil
}
