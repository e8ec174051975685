// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Upstream is a release of kernel.org. The zero value is none.
type Upstream struct {
	Major, Minor int
	// Patch is that of a stable release, 0 for one of the mainline.
	Patch int
	// RC is the number of a release candidate, 0 for the release itself.
	RC int
}

// ParseUpstream reads a release as kernel.org names it: 7.3, 7.3-rc6, 6.12.117.
func ParseUpstream(s string) (Upstream, error) {
	m := regexp.MustCompile(`^([1-9]\d?)\.(\d{1,3})(?:\.(\d{1,4})|-rc(\d{1,2}))?$`).FindStringSubmatch(s)
	if m == nil {
		return Upstream{}, errors.New("it is no release of kernel.org, like 6.12.117, 7.3 or 7.3-rc6")
	}
	return Upstream{number(m[1]), number(m[2]), number(m[3]), number(m[4])}, nil
}

// number is that of up to four digits; "" is 0.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// String is the name that kernel.org gives it.
func (u Upstream) String() string {
	name := u.series()
	switch {
	case u.Patch > 0:
		return fmt.Sprintf("%s.%d", name, u.Patch)
	case u.RC > 0:
		return fmt.Sprintf("%s-rc%d", name, u.RC)
	}
	return name
}

func (u Upstream) series() string { return fmt.Sprintf("%d.%d", u.Major, u.Minor) }

// Compare orders releases, as cmp.Compare does; a candidate comes before its
// release.
func (u Upstream) Compare(v Upstream) int {
	const last = 1 << 10
	candidate := func(u Upstream) int {
		if u.RC == 0 {
			return last
		}
		return u.RC
	}
	return cmp.Or(u.compareSeries(v), cmp.Compare(u.Patch, v.Patch), cmp.Compare(candidate(u), candidate(v)))
}

func (u Upstream) compareSeries(v Upstream) int {
	return cmp.Or(cmp.Compare(u.Major, v.Major), cmp.Compare(u.Minor, v.Minor))
}

// Upstream is the release of kernel.org that the kernel was made of; false where
// what it says of itself does not tell. Debian's release stays at 6.1.0-NN, and
// uname's version has the rest; other distributions leave the third number at 0
// and patch beneath it, or patch what is another kernel by then (el9, Ubuntu).
func (k Kernel) Upstream() (Upstream, bool) {
	debian := regexp.MustCompile(`\bDebian ([1-9]\d?\.\d{1,3}(?:\.\d{1,4})?)(?:~(rc\d{1,2}))?[-+~]`).FindStringSubmatch(k.Version)
	if debian != nil {
		name := debian[1]
		if debian[2] != "" {
			name += "-" + debian[2]
		}
		u, err := ParseUpstream(name)
		return u, err == nil
	}
	m := regexp.MustCompile(`^([1-9]\d?\.\d{1,3})\.(\d{1,4})(?:-(rc\d{1,2})\b)?(.*)$`).FindStringSubmatch(k.Release)
	if m == nil {
		return Upstream{}, false
	}
	patched := m[2] == "0" && m[3] == "" && regexp.MustCompile(`^-\d`).MatchString(m[4]) || regexp.MustCompile(`\bel\d`).MatchString(m[4])
	if patched {
		return Upstream{}, false
	}
	name := m[1] + "." + m[2]
	if m[3] != "" {
		name = m[1] + "-" + m[3]
	}
	u, err := ParseUpstream(name)
	return u, err == nil
}

// FixedIn is where a fix came in: a release of the mainline, from which on all
// later ones have it, or a stable release, for the later ones of its series.
type FixedIn string

func (f FixedIn) has(u Upstream) bool {
	fix, err := ParseUpstream(string(f))
	if err != nil {
		return false
	}
	if fix.Patch > 0 && fix.compareSeries(u) != 0 {
		return false
	}
	return u.Compare(fix) >= 0
}

// Series are one series of kernels, 6.1, or those of a range, 6.1..7.3.
type Series string

// bounds are the first and the last of them.
func (s Series) bounds() (first, last Upstream, err error) {
	from, to, isRange := strings.Cut(string(s), "..")
	if !isRange {
		to = from
	}
	if first, err = ParseUpstream(from); err != nil {
		return first, last, err
	}
	last, err = ParseUpstream(to)
	return first, last, err
}

// Check says what is wrong with it.
func (s Series) Check() error {
	first, last, err := s.bounds()
	switch {
	case err != nil:
		return errors.New("it is no series of kernels, like 6.1 or 6.1..7.3")
	case first.Patch+first.RC+last.Patch+last.RC > 0:
		return errors.New("a series has two numbers, like 6.1")
	case first.Compare(last) > 0:
		return errors.New("the range ends before it begins")
	}
	return nil
}

func (s Series) has(u Upstream) bool {
	first, last, err := s.bounds()
	return err == nil && first.compareSeries(u) <= 0 && last.compareSeries(u) >= 0
}
