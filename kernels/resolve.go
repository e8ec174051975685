// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
)

// catalogueAge is how long the mirror's lists are good for.
const catalogueAge = 24 * time.Hour

// NoMutantError says that there is no such mutant for a kernel.
type NoMutantError struct{ Spec Spec }

func (e *NoMutantError) Error() string {
	plain := e.Spec
	plain.Mutant = ""
	return fmt.Sprintf("no such mutant %q of %s", e.Spec.Mutant, plain)
}

func (s *Store) apt() apt { return newApt(filepath.Join(s.dir, "apt")) }

func (s *Store) catalogueFile() string { return filepath.Join(s.dir, "catalogue.json") }

// Resolve says which kernels a spec means: one, or for a range the newest of
// each series. What the mirror serves is asked at most once a day; a kernel
// named in full that the store has is not asked for at all. A version not
// served gives a *GoneError, a mutant a *NoMutantError.
func (s *Store) Resolve(ctx context.Context, spec Spec) ([]Name, error) {
	if spec.Mutant != "" {
		return nil, &NoMutantError{spec}
	}
	if spec.Source != Debian {
		return []Name{Name(spec.String())}, nil
	}
	if spec.one() {
		name := debianName(spec.From, spec.Flavour)
		if _, err := loadKernel(s.kernelDir(name)); err == nil {
			return []Name{name}, nil
		}
	}
	catalogue, err := s.Available(ctx)
	if err != nil {
		return s.resolveStored(spec, err)
	}
	found, err := catalogue.match(spec)
	if err != nil {
		return nil, err
	}
	var names []Name
	for _, r := range found {
		names = append(names, r.Name)
	}
	return names, nil
}

// resolveStored answers from the store when the mirror cannot be asked.
func (s *Store) resolveStored(spec Spec, cause error) ([]Name, error) {
	stored, err := s.List()
	if err != nil {
		return nil, err
	}
	var offline Catalogue
	for _, k := range stored {
		if have, err := k.Name.spec(); err == nil && have.Source == Debian {
			offline.Releases = append(offline.Releases, Release{Name: k.Name, Version: have.From, Flavour: have.Flavour})
		}
	}
	found, err := offline.match(spec)
	if err != nil {
		return nil, fmt.Errorf("%s: not in the store, and the mirror cannot be asked: %w", spec, cause)
	}
	var names []Name
	for _, r := range found {
		names = append(names, r.Name)
	}
	return names, nil
}

// Available says what the mirror serves. The answer is kept for a day, or
// until the machine's apt sources change; when the mirror cannot be reached an
// older one is given with a note.
func (s *Store) Available(ctx context.Context) (*Catalogue, error) {
	return s.available(ctx, catalogueAge)
}

// Refresh is Available with the mirror asked now.
func (s *Store) Refresh(ctx context.Context) (*Catalogue, error) {
	return s.available(ctx, 0)
}

func (s *Store) available(ctx context.Context, age time.Duration) (*Catalogue, error) {
	found, err := s.archives(ctx)
	if err != nil {
		return nil, err
	}
	var c *Catalogue
	err = s.locked(ctx, "apt", func() error {
		c, err = s.catalogue(ctx, found, age)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range c.Releases {
		_, err := loadKernel(s.kernelDir(c.Releases[i].Name))
		c.Releases[i].Stored = err == nil
	}
	return c, nil
}

// sourcesFile is a deb822 file that takes the place of the machine's sources:
// for machines with apt that are no Debian.
func (s *Store) sourcesFile() string { return filepath.Join(s.dir, "debian.sources") }

// archives finds where Debian's kernels are to be had.
func (s *Store) archives(ctx context.Context) (archives, error) {
	all, err := readSourceFiles([]string{s.sourcesFile()})
	if err == nil && all == nil {
		all, err = machineSources(ctx)
	}
	if err != nil {
		return archives{}, err
	}
	found := findArchives(all)
	if found.Main == nil {
		return archives{}, fmt.Errorf("%w; name one in %s (sources.list(5): Types, URIs, Suites, Components: main, and "+
			"Signed-By with the keyring of the package debian-archive-keyring), or take a build tree (path:DIR) or an image "+
			"(file:BZIMAGE,MODULES)", ErrNoArchive, s.sourcesFile())
	}
	return found, nil
}

// catalogue reads the kept answer, or asks. The apt lock must be held.
func (s *Store) catalogue(ctx context.Context, found archives, age time.Duration) (*Catalogue, error) {
	kept := &Catalogue{}
	err := readJSON(s.catalogueFile(), kept)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		kept = &Catalogue{} // it only spares asking again
	}
	sources := sourcesFile(found.suites())
	if kept.Sources == sources && time.Since(kept.Updated) < age {
		return kept, nil
	}
	fresh, err := s.ask(ctx, found, sources)
	if err != nil && ctx.Err() == nil && kept.Sources == sources {
		kept.Notes = append(kept.Notes, fmt.Sprintf("the lists are of %s: %v", kept.Updated.Format(time.DateOnly), err))
		return kept, nil
	}
	return fresh, err
}

func (s *Store) ask(ctx context.Context, found archives, sources string) (*Catalogue, error) {
	a := s.apt()
	suites, err := a.prepare(found)
	if err != nil {
		return nil, fmt.Errorf("prepare apt's private state: %w", err)
	}
	served, notes, err := a.update(ctx, suites)
	if err != nil {
		return nil, fmt.Errorf("update the package lists: %w", err)
	}
	if found.Security == nil {
		notes = append(notes, "apt's configuration has no security archive: its kernels are left out")
	}
	records, err := a.show(ctx)
	if err != nil {
		return nil, err
	}
	c := &Catalogue{
		Updated: time.Now().UTC().Truncate(time.Second), Suites: served, Notes: notes,
		Releases: releases(records), Sources: sources,
	}
	data, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	return c, renameio.WriteFile(s.catalogueFile(), data, 0o644)
}
