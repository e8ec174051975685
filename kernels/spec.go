// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Source says where a kernel comes from.
type Source string

// The sources.
const (
	Debian Source = "debian"
	Path   Source = "path"
	File   Source = "file"
)

// The flavours of a Debian kernel.
const (
	FlavourFull  = "amd64"
	FlavourCloud = "cloud"
)

// Spec is what a user asks for: one kernel, or a range of Debian's.
type Spec struct {
	Source Source
	// From and To are Debian versions. To is the zero Version unless a range
	// was asked for.
	From, To Version
	// Flavour is FlavourFull or FlavourCloud; "" unless the source is Debian.
	Flavour string
	// Mutant names a patch to put on the kernel; "" for none.
	Mutant string
	// Dir is an absolute folder: the build tree of path:, the modules of file:.
	Dir string
	// Image is the absolute path of the bzImage (or vmlinux) of file:.
	Image string
}

// Name is a Spec that means exactly one kernel, in its one spelling:
// "debian:6.12.43/amd64", "path:/src/linux", "file:/boot/vmlinuz,/lib/modules/6.1".
type Name string

const forms = `a kernel is one of
  debian:6.12            the newest 6.12 served
  debian:6.12.43         that one
  debian:6.1..7.3        the newest of each series from 6.1 to 7.3
  debian:6.12/cloud      the cloud flavour (else amd64)
  debian:6.1+NAME        6.1 with the mutant NAME put in
  path:DIR               a kernel build tree
  file:BZIMAGE,MODULES   a kernel and its folder of modules`

// Parse reads one kernel spec. Relative paths are taken from the working
// directory. Its errors say which forms there are.
func Parse(s string) (Spec, error) {
	spec, err := parse(s)
	if err != nil {
		return Spec{}, fmt.Errorf("kernel %q: %w\n%s", s, err, forms)
	}
	return spec, nil
}

// ParseList reads specs separated by commas. The comma of file:BZIMAGE,MODULES
// belongs to its spec.
func ParseList(s string) ([]Spec, error) {
	var specs []Spec
	parts := strings.Split(s, ",")
	for i := 0; i < len(parts); i++ {
		one := parts[i]
		if strings.HasPrefix(one, string(File)+":") && i+1 < len(parts) {
			i++
			one += "," + parts[i]
		}
		spec, err := Parse(one)
		if err != nil {
			return nil, err
		}
		specs = append(specs, spec)
	}
	return specs, nil
}

func parse(s string) (Spec, error) {
	source, rest, found := strings.Cut(s, ":")
	if !found {
		return Spec{}, errors.New("it has no source before a colon")
	}
	if strings.ContainsAny(rest, "\x00\n") {
		return Spec{}, errors.New("it has a line break or a NUL in it")
	}
	switch Source(source) {
	case Debian:
		return parseDebian(rest)
	case Path:
		return parsePath(rest)
	case File:
		return parseFile(rest)
	}
	return Spec{}, fmt.Errorf("%q is no source of kernels", source)
}

func parseDebian(s string) (Spec, error) {
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

func parsePath(s string) (Spec, error) {
	if s == "" {
		return Spec{}, errors.New("it names no folder")
	}
	dir, err := filepath.Abs(s)
	return Spec{Source: Path, Dir: dir}, err
}

func parseFile(s string) (Spec, error) {
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

// String writes the spec as Parse reads it.
func (s Spec) String() string {
	switch s.Source {
	case Path:
		return "path:" + s.Dir
	case File:
		return "file:" + s.Image + "," + s.Dir
	}
	out := "debian:" + s.From.String()
	if s.ranged() {
		out += ".." + s.To.String()
	}
	out += "/" + s.Flavour
	if s.Mutant != "" {
		out += "+" + s.Mutant
	}
	return out
}

func (s Spec) ranged() bool { return s.To != Version{} }

// one says whether the spec means exactly one kernel whatever is served.
func (s Spec) one() bool {
	return s.Source != Debian || (s.From.Whole() && !s.ranged())
}

// covers says whether a Debian version is among what the spec asks for.
func (s Spec) covers(v Version) bool {
	if !s.ranged() {
		return s.From.has(v)
	}
	return (s.From.has(v) || v.Compare(s.From) > 0) && (s.To.has(v) || v.Compare(s.To) < 0)
}

func debianName(v Version, flavour string) Name {
	return Name(fmt.Sprintf("debian:%s/%s", v, flavour))
}

// spec parses the name back; only names of one kernel pass.
func (n Name) spec() (Spec, error) {
	spec, err := Parse(string(n))
	if err != nil {
		return Spec{}, err
	}
	if !spec.one() || spec.Mutant != "" {
		return Spec{}, fmt.Errorf("%s is not the name of one kernel: resolve it first", n)
	}
	return spec, nil
}
