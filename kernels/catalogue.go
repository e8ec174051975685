// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	debversion "github.com/knqyf263/go-deb-version"
)

// Release is one Debian kernel that the mirror serves.
type Release struct {
	Name    Name    `json:"name"`
	Version Version `json:"version"`
	Flavour string  `json:"flavour"`
	// Uname is what uname -r says in it.
	Uname    string    `json:"uname"`
	Packages []Package `json:"packages"`
	// Missing are packages it needs that no suite serves: it cannot be fetched.
	Missing []string `json:"missing,omitempty"`
	// Stored says whether the store has it.
	Stored bool `json:"-"`
}

// Catalogue is what the mirror served when it was last asked.
type Catalogue struct {
	// Updated is when apt's lists were fetched.
	Updated time.Time `json:"updated"`
	// Suites are those the mirror served with a good signature.
	Suites []string `json:"suites"`
	// Notes say which suites were left out and why.
	Notes []string `json:"notes,omitempty"`
	// Releases are in order of version and flavour, one of each.
	Releases []Release `json:"releases"`
	// Sources is the configuration the lists came by; another one makes them
	// stale.
	Sources string `json:"sources"`
}

// candidate is one build of a kernel, before one of each version is chosen.
type candidate struct {
	Release
	debian debversion.Version
	native bool
	signed bool
}

// releases makes the list of kernels from apt's package records.
func releases(all []stanza) []Release {
	have := map[string]stanza{}
	for _, s := range all {
		have[s["package"]+" "+s["version"]] = s
	}
	best := map[Name]candidate{}
	for _, s := range all {
		c, ok := newCandidate(s, have)
		if !ok {
			continue
		}
		if old, found := best[c.Name]; !found || c.better(old) {
			best[c.Name] = c
		}
	}
	var out []Release
	for _, c := range best {
		out = append(out, c.Release)
	}
	slices.SortFunc(out, func(a, b Release) int {
		return cmp.Or(a.Version.Compare(b.Version), strings.Compare(a.Flavour, b.Flavour))
	})
	return out
}

// imageName finds uname -r and the flavour in the name of a package with a
// kernel, signed or not.
func imageName(pkg string) (uname, flavour string, signed, ok bool) {
	m := regexp.MustCompile(`^linux-image-(\d[0-9a-z.+-]*?-(rt-|cloud-)?amd64)(-unsigned)?$`).FindStringSubmatch(pkg)
	if m == nil || m[2] == "rt-" {
		return "", "", false, false
	}
	flavour = FlavourFull
	if m[2] == "cloud-" {
		flavour = FlavourCloud
	}
	return m[1], flavour, m[3] == "", true
}

func newCandidate(s stanza, have map[string]stanza) (candidate, bool) {
	uname, flavour, signed, ok := imageName(s["package"])
	// linux-image-6.1-amd64 only depends on the newest image.
	if !ok || strings.Contains(s["depends"], "linux-image-") {
		return candidate{}, false
	}
	version, err := upstream(s["version"])
	if err != nil {
		return candidate{}, false
	}
	debian, err := debversion.NewVersion(s["version"])
	if err != nil {
		return candidate{}, false
	}
	c := candidate{debian: debian, signed: signed, native: !strings.Contains(debian.Revision(), "~")}
	c.Release = Release{Name: debianName(version, flavour), Version: version, Flavour: flavour, Uname: uname}
	for _, name := range neededPackages(s, uname) {
		part, found := have[name+" "+s["version"]]
		if !found && strings.HasPrefix(name, "linux-base-") {
			// Up to 6.18 the config is in the image as well; later kernels boot
			// without it.
			continue
		}
		if !found {
			c.Missing = append(c.Missing, name)
			continue
		}
		c.Packages = append(c.Packages, newPackage(part))
	}
	return c, true
}

// neededPackages names the packages a kernel comes in: to 6.17 linux-image; in
// 6.18 linux-base beside it; from 6.19 linux-image is empty and depends on
// linux-binary, -modules and -base of the same release.
func neededPackages(s stanza, uname string) []string {
	var parts []string
	split := false
	for _, kind := range []string{"binary", "modules", "base"} {
		name := "linux-" + kind + "-" + uname
		if strings.Contains(s["depends"], name+" ") {
			parts = append(parts, name)
			split = split || kind == "binary"
		}
	}
	if split {
		return parts
	}
	return append([]string{s["package"]}, parts...)
}

func newPackage(s stanza) Package {
	size, _ := strconv.ParseInt(s["size"], 10, 64)
	installed, _ := strconv.ParseInt(s["installed-size"], 10, 64)
	return Package{Name: s["package"], Version: s["version"], Size: size, Installed: installed << 10, SHA256: s["sha256"]}
}

// upstream reads the kernel's version out of the package's, as
// "6.12.95-1~bpo12+1". "6.13-1" is 6.13.0.
func upstream(debian string) (Version, error) {
	text, _, _ := strings.Cut(debian, "-")
	v, err := ParseVersion(text)
	if err == nil && !v.Whole() {
		v.Patch = 0
	}
	return v, err
}

// better prefers what can be fetched, then a suite's own build to a backport,
// then the newest build, then the signed one.
func (c candidate) better(old candidate) bool {
	if whole, oldWhole := len(c.Missing) == 0, len(old.Missing) == 0; whole != oldWhole {
		return whole
	}
	if c.native != old.native {
		return c.native
	}
	if !c.debian.Equal(old.debian) {
		return c.debian.GreaterThan(old.debian)
	}
	return c.signed && !old.signed
}

// match gives the releases a spec asks for: of each series the newest that can
// be fetched.
func (c *Catalogue) match(spec Spec) ([]Release, error) {
	newest := map[string]Release{}
	var broken *Release
	for _, r := range c.Releases {
		if r.Flavour != spec.Flavour || !spec.covers(r.Version) {
			continue
		}
		if len(r.Missing) > 0 {
			broken = &r
			continue
		}
		newest[r.Version.Series()] = r // the releases are in order
	}
	if len(newest) == 0 && broken != nil {
		return nil, fmt.Errorf("%s cannot be fetched: the mirror lists it, but not its package %s",
			broken.Name, strings.Join(broken.Missing, ", "))
	}
	if len(newest) == 0 {
		return nil, c.gone(spec)
	}
	var out []Release
	for _, r := range c.Releases {
		if newest[r.Version.Series()].Name == r.Name {
			out = append(out, r)
		}
	}
	return out, nil
}

// GoneError says that the mirror does not serve a version (any more).
type GoneError struct {
	Asked string
	// Nearest are the served releases next below and above, oldest first.
	Nearest []Name
}

func (e *GoneError) Error() string {
	text := e.Asked + " is not served: a mirror keeps only the newest builds of each suite"
	if len(e.Nearest) == 0 {
		return text
	}
	var list []string
	for _, n := range e.Nearest {
		list = append(list, string(n))
	}
	return text + "; nearest are " + strings.Join(list, " and ")
}

func (c *Catalogue) gone(spec Spec) error {
	e := &GoneError{Asked: spec.String()}
	var below, above Name
	for _, r := range c.Releases {
		switch {
		case r.Flavour != spec.Flavour || len(r.Missing) > 0:
		case r.Version.Compare(spec.From) < 0:
			below = r.Name
		case above == "":
			above = r.Name
		}
	}
	for _, n := range []Name{below, above} {
		if n != "" {
			e.Nearest = append(e.Nearest, n)
		}
	}
	return e
}
