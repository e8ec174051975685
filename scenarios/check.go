// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"skleak/record"
)

const (
	maxAbout    = 400
	maxLinks    = 256
	maxPatience = 10 * time.Minute
)

// Check says what is wrong with a scenario, by the rules Decode has: for one
// made or changed in the program. Its error wraps a *KeyError.
func (s Scenario) Check() error {
	if err := s.check(); err != nil {
		return fmt.Errorf("scenario %s: %w", oneLine(s.Name), err)
	}
	return nil
}

func (s Scenario) check() error {
	checks := []func(Scenario) error{
		checkName, checkNamespaces, checkLinks, checkRoutes, checkFilters,
		checkTraffic, checkExpect, checkKnown, checkRest,
	}
	for _, check := range checks {
		if err := check(s); err != nil {
			return err
		}
	}
	return nil
}

func checkName(s Scenario) error {
	if s.Name == "" {
		return wrong("name", "a scenario without a name", "name it family/case")
	}
	family, name, _ := strings.Cut(s.Name, "/")
	if !namePart(family) || !namePart(name) {
		return wrong("name", "scenario name "+shown(s.Name), "write family/case in lower-case letters, digits, dashes and dots")
	}
	if strings.ContainsFunc(s.About, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return wrong("about", "more than one line, or characters that do not print", "write one line")
	}
	if len(s.About) > maxAbout {
		return wrong("about", fmt.Sprintf("%d bytes long", len(s.About)), fmt.Sprintf("use at most %d", maxAbout))
	}
	return nil
}

// namePart tells whether s can be one of the two parts of a scenario's name. It
// is no regular expression, because to compile one costs a guest without KVM as
// much as to read the scenario.
func namePart(s string) bool {
	const longest = 64
	return s != "" && len(s) <= longest && s[0] != '.' && s[0] != '-' &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}

func checkNamespaces(s Scenario) error {
	seen := map[string]bool{}
	for i, n := range s.Namespaces {
		at := index("namespaces", i)
		if err := checkInterface("namespace", n.Name); err != nil {
			return under(at+".name", err)
		}
		if seen[n.Name] {
			return wrong(at+".name", "a second namespace "+shown(n.Name), "name it otherwise")
		}
		seen[n.Name] = true
	}
	return nil
}

func checkExpect(s Scenario) error {
	if len(s.Expect) == 0 {
		return wrong("expect", "nothing is expected", "say what a sound kernel shows, like expect: clean")
	}
	for i, v := range s.Expect {
		at := "expect"
		if len(s.Expect) > 1 {
			at = index(at, i)
		}
		if err := oneOf(at, "verdict", v, record.Verdicts()...); err != nil {
			return err
		}
		if slices.Contains(s.Expect[:i], v) {
			return wrong(at, fmt.Sprintf("%s is there twice", v), "take one out")
		}
	}
	return nil
}

func checkKnown(s Scenario) error {
	k := s.Known
	if k == nil {
		return nil
	}
	if err := oneOf("known.verdict", "verdict", k.Verdict, record.Verdicts()...); err != nil {
		return err
	}
	if k.Verdict.NeedsHolder() && k.Holder == "" {
		return wrong("known.holder", "a known defect that holds, and no holder", "name who holds, like \"driver of v0\" or \"qdisc * on v0\"")
	}
	if !record.ValidPattern(k.Holder) {
		return wrong("known.holder", shown(k.Holder)+" is no pattern", "write * for any text, ? for a character")
	}
	if k.FixedBy != "" && !regexp.MustCompile(`^[0-9a-f]{7,40}$`).MatchString(k.FixedBy) {
		return wrong("known.fixed_by", shown(k.FixedBy)+" is no commit", "give 7 to 40 hex digits")
	}
	if k.CVE != "" && !regexp.MustCompile(`^CVE-[0-9]{4}-[0-9]{4,9}$`).MatchString(k.CVE) {
		return wrong("known.cve", shown(k.CVE)+" is no CVE number", "write it like CVE-2025-68232")
	}
	return checkKnownKernels(*k)
}

// checkKnownKernels wants to be told which kernels may have a known defect.
func checkKnownKernels(k record.Known) error {
	if len(k.FixedIn)+len(k.Kernels) == 0 {
		return wrong("known", "a known defect of no kernels", `give fixed_in: ["6.12.117", "7.3-rc7"], or kernels: ["6.1..7.3"]`)
	}
	for i, f := range k.FixedIn {
		if _, err := record.ParseUpstream(string(f)); err != nil {
			return wrong(index("known.fixed_in", i), fmt.Sprintf("%s: %v", shown(string(f)), err), "give the first release of each series that has the fix")
		}
	}
	for i, s := range k.Kernels {
		if err := s.Check(); err != nil {
			return wrong(index("known.kernels", i), fmt.Sprintf("%s: %v", shown(string(s)), err), "give series of kernels like 6.1 or 6.1..7.3")
		}
	}
	return nil
}

func checkRest(s Scenario) error {
	if p := s.Patience; p != nil && (*p < 0 || *p > maxPatience) {
		return wrong("patience", fmt.Sprintf("patience of %v", *p), fmt.Sprintf("give 0s to %v", maxPatience))
	}
	if err := oneOf("control", "kind of control", s.Control, NotControl, ControlMustHold, ControlMustNot); err != nil {
		return err
	}
	return checkShows(s)
}

func checkShows(s Scenario) error {
	switch {
	case s.Shows == nil && s.Control == ControlMustHold:
		return wrong("shows", "a control that must hold, and not what it must show", `give holder and released_by, like {holder: "qdisc tbf on v0", released_by: "qdisc deleted"}`)
	case s.Shows == nil:
		return nil
	case s.Control == ControlMustNot:
		return wrong("shows", "a control that must not hold has nothing to show", "take it out")
	case s.Shows.Holder == "" || s.Shows.ReleasedBy == "":
		return wrong("shows", "no holder, or no rung", "give both holder and released_by, as the report has them")
	case s.Shows.Passes > s.Traffic.Count:
		return wrong("shows.passes", fmt.Sprintf("%d packets pass of %d", s.Shows.Passes, s.Traffic.Count), "give fewer")
	}
	return nil
}
