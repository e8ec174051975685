// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
)

// fileOrigin is an image and a folder of modules.
type fileOrigin struct{}

func (fileOrigin) forms() [][2]string {
	return [][2]string{{"file:BZIMAGE,MODULES", "a kernel and its folder of modules"}}
}

func (fileOrigin) parse(s string) (Spec, error) {
	image, dir, found := strings.Cut(s, ",")
	if !found || image == "" || dir == "" {
		return Spec{}, errors.New("it must name a bzImage and a folder of modules with a comma between")
	}
	if strings.Contains(dir, ",") {
		return Spec{}, errors.New("it has more than one comma; use paths without one")
	}
	image, err := filepath.Abs(image)
	if err != nil {
		return Spec{}, err
	}
	dir, err = filepath.Abs(dir)
	if strings.Contains(image+dir, ",") {
		return Spec{}, errors.New("the working directory has a comma in its path")
	}
	return Spec{Source: File, Image: image, Dir: dir}, err
}

func (fileOrigin) spell(s Spec) string { return s.Image + "," + s.Dir }

func (fileOrigin) fetch(ctx context.Context, s *Store, name Name, spec Spec, _ func(Progress)) (*Kernel, error) {
	found, err := findPair(spec.Image, spec.Dir)
	return s.fetchLocal(ctx, name, found, err)
}
