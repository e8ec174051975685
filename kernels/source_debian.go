// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// debianOrigin takes kernels out of Debian's packages.
type debianOrigin struct{}

func (debianOrigin) forms() [][2]string {
	return [][2]string{
		{"debian:6.12", "the newest 6.12 served"},
		{"debian:6.12.43", "that one"},
		{"debian:6.1..7.3", "the newest of each series from 6.1 to 7.3"},
		{"debian:6.12/cloud", "the cloud flavour (else amd64)"},
		{"debian:6.1+NAME", "6.1 with the mutant NAME put in"},
	}
}

func (debianOrigin) parse(s string) (Spec, error) {
	spec := Spec{Source: Debian, Flavour: FlavourFull}
	s, mutant, mutated := strings.Cut(s, "+")
	if mutated && !mutantName(mutant) {
		return Spec{}, fmt.Errorf("%q is no mutant's name", mutant)
	}
	spec.Mutant = mutant
	s, flavour, flavoured := strings.Cut(s, "/")
	if flavoured {
		spec.Flavour = flavour
	}
	if spec.Flavour != FlavourFull && spec.Flavour != FlavourCloud {
		return Spec{}, fmt.Errorf("there is no flavour %q, only %s and %s", flavour, FlavourFull, FlavourCloud)
	}
	from, to, ranged := strings.Cut(s, "..")
	var err error
	if spec.From, err = ParseVersion(from); err != nil {
		return Spec{}, err
	}
	if !ranged {
		return spec, nil
	}
	if spec.To, err = ParseVersion(to); err != nil {
		return Spec{}, err
	}
	if !spec.From.has(spec.To) && !spec.To.has(spec.From) && spec.To.Compare(spec.From) < 0 {
		return Spec{}, fmt.Errorf("the range ends (%s) before it begins (%s)", to, from)
	}
	return spec, nil
}

// mutantName allows what a file name in mutants/ may be.
func mutantName(s string) bool {
	if s == "" || len(s) > 64 || s[0] == '-' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

func (debianOrigin) spell(s Spec) string {
	out := s.From.String()
	if s.ranged() {
		out += ".." + s.To.String()
	}
	out += "/" + s.Flavour
	if s.Mutant != "" {
		out += "+" + s.Mutant
	}
	return out
}

func (debianOrigin) fetch(ctx context.Context, s *Store, name Name, spec Spec, progress func(Progress)) (*Kernel, error) {
	if k, err := s.Show(name); err == nil || !errors.Is(err, ErrNotStored) {
		return k, err
	}
	catalogue, err := s.Available(ctx)
	if err != nil {
		return nil, fmt.Errorf("fetch kernel %s: %w", name, err)
	}
	found, err := catalogue.match(spec)
	if err != nil {
		return nil, fmt.Errorf("fetch kernel %s: %w", name, err)
	}
	size, download := estimate(found[0].Packages)
	if err := s.reserve(ctx, name, size, download); err != nil {
		return nil, err
	}
	return s.build(name, func(b *builder) error {
		if err := s.fetchDebian(ctx, b, found[0], progress); err != nil {
			return err
		}
		progress(Progress{name, StepWrite, download, download})
		return nil
	})
}
