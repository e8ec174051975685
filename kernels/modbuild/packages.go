// SPDX-License-Identifier: GPL-2.0-only

package modbuild

import (
	"context"
	"fmt"
	"strings"

	"skleak/kernels"
)

// packages are what a module of one kernel is built from.
type packages struct {
	// series is the kernel's, like 6.12.
	series string
	source kernels.Package
	// headers are those of the release, and the part its flavours share.
	headers []kernels.Package
	// kbuild has the build's programs.
	kbuild kernels.Package
}

// findPackages asks the mirror for the packages that belong to k.
func findPackages(ctx context.Context, s *kernels.Store, k *kernels.Kernel) (packages, error) {
	spec, err := kernels.Parse(string(k.Name))
	if err != nil {
		return packages{}, err
	}
	if spec.Source != kernels.Debian || len(k.Packages) == 0 {
		return packages{}, fmt.Errorf("kernel %s: only Debian's kernels can take a mutant: theirs have source and headers packages", k.Name)
	}
	p := packages{series: spec.From.Series()}
	base := strings.TrimSuffix(strings.TrimSuffix(k.Release, "-amd64"), "-cloud")
	version := k.Packages[0].Version
	kbuild := "linux-kbuild-" + p.series
	all, err := s.Packages(ctx, "linux-source-"+p.series, "linux-headers-"+k.Release, "linux-headers-"+base+"-common", kbuild+"*")
	if err != nil {
		return packages{}, fmt.Errorf("kernel %s: source and headers: %w", k.Name, err)
	}
	for _, name := range []string{"linux-headers-" + k.Release, "linux-headers-" + base + "-common"} {
		found, err := pick(all, name, version)
		if err != nil {
			return packages{}, fmt.Errorf("kernel %s: %w", k.Name, err)
		}
		p.headers = append(p.headers, found)
	}
	if p.source, err = pick(all, "linux-source-"+p.series, version); err != nil {
		return packages{}, fmt.Errorf("kernel %s: %w", k.Name, err)
	}
	for _, one := range all {
		if strings.HasPrefix(one.Name, kbuild) && one.Version == version {
			p.kbuild = one
			return p, nil
		}
	}
	return packages{}, fmt.Errorf("kernel %s: the mirror has no %s* of version %s (any more)", k.Name, kbuild, version)
}

func pick(all []kernels.Package, name, version string) (kernels.Package, error) {
	for _, p := range all {
		if p.Name == name && p.Version == version {
			return p, nil
		}
	}
	return kernels.Package{}, fmt.Errorf("the mirror has no %s of version %s (any more)", name, version)
}
