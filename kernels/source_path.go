// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"context"
	"errors"
	"path/filepath"
)

// pathOrigin is a kernel's build tree.
type pathOrigin struct{}

func (pathOrigin) forms() [][2]string { return [][2]string{{"path:DIR", "a kernel build tree"}} }

func (pathOrigin) parse(s string) (Spec, error) {
	if s == "" {
		return Spec{}, errors.New("it names no folder")
	}
	dir, err := filepath.Abs(s)
	return Spec{Source: Path, Dir: dir}, err
}

func (pathOrigin) spell(s Spec) string { return s.Dir }

func (pathOrigin) fetch(ctx context.Context, s *Store, name Name, spec Spec, _ func(Progress)) (*Kernel, error) {
	found, err := findTree(spec.Dir)
	return s.fetchLocal(ctx, name, found, err)
}
