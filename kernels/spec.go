// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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

// origin is a source of kernels: how its kernels are named, and how one is had. Each
// is in a file of its own, source_*.go.
type origin interface {
	// forms are the names there are, each with a word on it.
	forms() [][2]string
	// parse reads what follows the colon of a name, spell writes it.
	parse(rest string) (Spec, error)
	spell(s Spec) string
	// fetch gives the kernel of the name, which the store has locked.
	fetch(ctx context.Context, s *Store, name Name, spec Spec, progress func(Progress)) (*Kernel, error)
}

// origins is the table of sources, one line each.
func origins() map[Source]origin {
	return map[Source]origin{
		Debian: debianOrigin{},
		Path:   pathOrigin{},
		File:   fileOrigin{},
	}
}

func originOf(s Source) origin { return origins()[s] }

// forms says how a kernel may be named.
func forms() string {
	var b strings.Builder
	b.WriteString("a kernel is one of")
	for _, source := range slices.Sorted(maps.Keys(origins())) {
		for _, form := range originOf(source).forms() {
			fmt.Fprintf(&b, "\n  %-22s %s", form[0], form[1])
		}
	}
	return b.String()
}

// Name is a Spec that means exactly one kernel, in its one spelling:
// "debian:6.12.43/amd64", "path:/src/linux", "file:/boot/vmlinuz,/lib/modules/6.1".
type Name string

// Parse reads one kernel spec. Relative paths are taken from the working
// directory. Its errors say which forms there are.
func Parse(s string) (Spec, error) {
	spec, err := parse(s)
	if err != nil {
		return Spec{}, fmt.Errorf("kernel %q: %w\n%s", s, err, forms())
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
	if o := originOf(Source(source)); o != nil {
		return o.parse(rest)
	}
	return Spec{}, fmt.Errorf("%q is no source of kernels", source)
}

// String writes the spec as Parse reads it.
func (s Spec) String() string {
	o := originOf(s.Source)
	if o == nil {
		return string(s.Source) + ":"
	}
	return string(s.Source) + ":" + o.spell(s)
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

// Split gives the name of the kernel without its mutant, and the mutant; "" for
// none.
func (n Name) Split() (plain Name, mutant string) {
	spec, err := Parse(string(n))
	if err != nil || spec.Mutant == "" {
		return n, ""
	}
	mutant, spec.Mutant = spec.Mutant, ""
	return Name(spec.String()), mutant
}

// With is the name with a mutant; "" leaves it as it is.
func (n Name) With(mutant string) Name {
	if mutant == "" {
		return n
	}
	return n + "+" + Name(mutant)
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
