// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"fmt"
	"slices"
	"strings"
)

// Known is a defect known upstream: what it shows, and on which kernels.
type Known struct {
	Verdict Verdict `json:"verdict"`
	// Holder is a pattern of HolderMatches; "" where Verdict has no holder.
	Holder  string `json:"holder,omitempty"`
	FixedBy string `json:"fixed_by,omitempty"`
	CVE     string `json:"cve,omitempty"`
	// FixedIn are the releases that FixedBy came in with, one for each series.
	FixedIn []FixedIn `json:"fixed_in,omitempty"`
	// Kernels are the series the defect is known of; none for all without the fix.
	Kernels []Series `json:"kernels,omitempty"`
}

// Excuse is what a known defect is to one that was found.
type Excuse struct {
	// Granted says that what was found is the known defect.
	Granted bool
	// Remark says why not, or what could not be checked; "" for nothing to say.
	Remark string
}

// Excuses compares what was found, by holder on k, with the known defect.
// Versions only narrow the excuse: what a kernel does is measured.
func (known Known) Excuses(v Verdict, holder string, k Kernel) Excuse {
	if v != known.Verdict {
		return Excuse{Remark: fmt.Sprintf("not the known defect, which is %s", known.what())}
	}
	if known.Holder != "" && !HolderMatches(known.Holder, holder) {
		return Excuse{Remark: fmt.Sprintf("not the known defect, which is %s", known.what())}
	}
	u, told := k.Upstream()
	if !told {
		return Excuse{Granted: true, Remark: fmt.Sprintf(
			"%q does not tell which release of kernel.org this is, so whether the defect may still be there is not checked", k.Release)}
	}
	if i := slices.IndexFunc(known.FixedIn, func(f FixedIn) bool { return f.has(u) }); i >= 0 {
		return Excuse{Remark: fmt.Sprintf("a known defect that is fixed in %s%s, and back in %s", known.FixedIn[i], known.by(), u)}
	}
	if len(known.Kernels) > 0 && !slices.ContainsFunc(known.Kernels, func(s Series) bool { return s.has(u) }) {
		return Excuse{Remark: fmt.Sprintf("a defect known of %s, and not of %s", join(known.Kernels), u)}
	}
	return Excuse{Granted: true}
}

// what is the defect in words.
func (known Known) what() string {
	if known.Holder == "" {
		return string(known.Verdict)
	}
	return fmt.Sprintf("%s by %s", known.Verdict, known.Holder)
}

func (known Known) by() string {
	if known.FixedBy == "" {
		return ""
	}
	return " by " + known.FixedBy
}

// fix says by which commit and from which releases on; "" where neither is known.
func (known Known) fix() string {
	if len(known.FixedIn) == 0 {
		return known.by()
	}
	return known.by() + " in " + join(known.FixedIn)
}

// String says which defect it is, in a line.
func (known Known) String() string {
	parts := []string{known.what()}
	if fix := known.fix(); fix != "" {
		parts = append(parts, "fixed"+fix)
	}
	if known.CVE != "" {
		parts = append(parts, known.CVE)
	}
	if len(known.Kernels) > 0 {
		parts = append(parts, "known of "+join(known.Kernels))
	}
	return strings.Join(parts, ", ")
}

func join[S ~string](list []S) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	return strings.Join(words, ", ")
}
