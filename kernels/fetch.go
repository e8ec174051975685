// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Step is a part of a fetch.
type Step string

// The steps of a fetch, in order.
const (
	StepDownload Step = "download"
	StepUnpack   Step = "unpack"
	StepWrite    Step = "write to disk"
)

// Progress says how far a fetch is. Done and Total are bytes of packages.
type Progress struct {
	Kernel Name
	Step   Step
	Done   int64
	Total  int64
}

// Fetch gives a kernel, from the store if it is there and unchanged, else from
// its source. The kernel appears in the store whole or not at all; of two
// fetches of the same kernel the second waits for the first. Before anything is
// downloaded a *LimitError refuses what would not fit. Progress may be nil; it
// is called from one goroutine at a time.
func (s *Store) Fetch(ctx context.Context, name Name, progress func(Progress)) (*Kernel, error) {
	spec, err := name.spec()
	if err != nil {
		return nil, err
	}
	if progress == nil {
		progress = func(Progress) {}
	}
	// Others may have spelled it otherwise.
	name = Name(spec.String())
	var k *Kernel
	err = s.locked(ctx, name.folder(), func() error {
		k, err = originOf(spec.Source).fetch(ctx, s, name, spec, progress)
		return err
	})
	if err != nil {
		return nil, err
	}
	return k, nil
}

// build fills the kernel's folder under tmp/ and puts it in its place.
func (s *Store) build(name Name, fill func(*builder) error) (k *Kernel, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("fetch kernel %s: %w", name, err), os.RemoveAll(s.tmpDir(name)))
		}
	}()
	b, err := newBuilder(name, s.tmpDir(name))
	if err != nil {
		return nil, err
	}
	err = fill(b)
	if err == nil {
		err = b.finish()
	}
	if err = errors.Join(err, b.Close()); err != nil {
		return nil, err
	}
	if err := s.publish(name); err != nil {
		return nil, err
	}
	return s.Show(name)
}
