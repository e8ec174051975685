// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// unset stands for a part of a Version that was not given.
const unset = -1

// Version is a kernel's upstream version, whole (6.12.43, 7.3~rc7) or only a
// series (6.12). Parts go from 0 to 9999.
type Version struct {
	Major int
	Minor int
	// Patch is -1 when not given: the whole series, or a release candidate.
	Patch int
	// RC is the number of a release candidate, else 0.
	RC int
}

// ParseVersion reads 6.12, 6.12.43, 7.3~rc7 or 7.3-rc7.
func ParseVersion(s string) (Version, error) {
	v := Version{Patch: unset}
	numbers, rc, isRC := cutRC(s)
	parts := strings.Split(numbers, ".")
	bad := fmt.Errorf("%q is no kernel version: write it like 6.12, 6.12.43 or 7.3~rc7", s)
	if len(parts) < 2 || len(parts) > 3 || (isRC && len(parts) == 3) {
		return Version{}, bad
	}
	into := []*int{&v.Major, &v.Minor, &v.Patch}
	for i, part := range parts {
		n, ok := smallNumber(part)
		if !ok {
			return Version{}, bad
		}
		*into[i] = n
	}
	if v.Major == 0 {
		return Version{}, bad
	}
	if isRC {
		n, ok := smallNumber(rc)
		if !ok || n == 0 {
			return Version{}, bad
		}
		v.RC = n
	}
	return v, nil
}

func cutRC(s string) (numbers, rc string, found bool) {
	for _, mark := range []string{"~rc", "-rc"} {
		if numbers, rc, found = strings.Cut(s, mark); found {
			return numbers, rc, true
		}
	}
	return s, "", false
}

// smallNumber reads up to four digits without a sign or leading zeros.
func smallNumber(s string) (int, bool) {
	if len(s) == 0 || len(s) > 4 || (len(s) > 1 && s[0] == '0') {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 16)
	return int(n), err == nil
}

// String writes the version as ParseVersion reads it.
func (v Version) String() string {
	s := v.Series()
	if v.RC > 0 {
		return fmt.Sprintf("%s~rc%d", s, v.RC)
	}
	if v.Patch == unset {
		return s
	}
	return fmt.Sprintf("%s.%d", s, v.Patch)
}

// Series is the version without its patch level: "6.12".
func (v Version) Series() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

// Whole says whether v names one release, not a series.
func (v Version) Whole() bool { return v.Patch != unset || v.RC > 0 }

// Compare orders by age: release candidates come before the release.
func (v Version) Compare(w Version) int {
	return cmp.Or(
		cmp.Compare(v.Major, w.Major),
		cmp.Compare(v.Minor, w.Minor),
		cmp.Compare(v.rank(), w.rank()),
		cmp.Compare(v.Patch, w.Patch),
	)
}

// rank puts 7.3~rc7 before 7.3.0.
func (v Version) rank() int {
	if v.RC > 0 {
		return v.RC
	}
	return 10000
}

// has says whether w belongs to what v names: itself, or its series.
func (v Version) has(w Version) bool {
	if v.Whole() {
		return v == w
	}
	return v.Series() == w.Series()
}

// MarshalText writes the version as ParseVersion reads it.
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (v *Version) UnmarshalText(text []byte) error {
	var err error
	*v, err = ParseVersion(string(text))
	return err
}
