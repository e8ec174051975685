// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
)

// Packages gives what the mirror serves under names that match the patterns
// (those of apt-cache show), every version of each. It refreshes
// apt's private lists as Available does.
func (s *Store) Packages(ctx context.Context, patterns ...string) ([]Package, error) {
	if _, err := s.Available(ctx); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	args := append([]string{"show", "--all-versions"}, patterns...)
	if _, err := s.apt().run(ctx, "", &out, "apt-cache", args...); err != nil {
		return nil, fmt.Errorf("ask apt for packages %s: %w", strings.Join(patterns, " "), err)
	}
	var all []Package
	err := readStanzas(&out, func(st stanza) { all = append(all, newPackage(st)) })
	return all, err
}

// Download puts packages into the folder dir and gives their files, in order.
// apt checks each against the signed lists.
func (s *Store) Download(ctx context.Context, dir string, packages []Package) (files []string, err error) {
	// Shared among downloads, apart from an update of the lists they rely on.
	l := s.lock("apt")
	_, err = l.TryRLockContext(ctx, lockRetry)
	if err == nil {
		files, err = s.apt().download(ctx, dir, packages, nil)
	}
	if err = errors.Join(err, l.Close()); err != nil {
		return nil, err
	}
	return files, nil
}

// Dependencies gives what apt would install beside a package on a machine that
// has nothing, Recommends aside: its own choice of versions that fit together.
func (s *Store) Dependencies(ctx context.Context, p Package) ([]Package, error) {
	var out bytes.Buffer
	if _, err := s.apt().run(ctx, "", &out, "apt-get", "install", "--simulate", "--quiet=2", "--no-install-recommends", p.Name+"="+p.Version); err != nil {
		return nil, fmt.Errorf("ask apt what %s depends on: %w", p.Name, err)
	}
	return readSimulation(out.String(), p.Name), nil
}

// readSimulation reads the packages apt-get would install, all but one, from
// lines like "Inst libc6 (2.41-12 Debian:13.1/stable [amd64])".
func readSimulation(text, but string) []Package {
	var all []Package
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 3 || words[0] != "Inst" || !strings.HasPrefix(words[2], "(") || words[1] == but {
			continue
		}
		all = append(all, Package{Name: words[1], Version: strings.TrimPrefix(words[2], "(")})
	}
	return all
}
