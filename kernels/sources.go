// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bytes"
	"slices"
	"strings"
)

// source is one repository of the machine's apt configuration: what of it
// says where a mirror is and how to trust it.
type source struct {
	URI        string
	Suites     []string
	Components []string
	// SignedBy is a keyring's path, a fingerprint or a key, as it stood there;
	// "" for apt's own trusted keys.
	SignedBy string
}

// parseSources reads a deb822 .sources file (sources.list(5)).
func parseSources(data []byte) ([]source, error) {
	var out []source
	err := readStanzas(bytes.NewReader(data), func(s stanza) {
		if !slices.Contains(strings.Fields(s["types"]), "deb") || off(s["enabled"]) {
			return
		}
		for uri := range strings.FieldsSeq(s["uris"]) {
			out = append(out, source{
				URI:        uri,
				Suites:     strings.Fields(s["suites"]),
				Components: strings.Fields(s["components"]),
				SignedBy:   s["signed-by"],
			})
		}
	})
	return out, err
}

// off reads apt's booleans (StringToBool in apt-pkg/contrib/strutl.cc).
func off(value string) bool {
	return slices.Contains([]string{"no", "false", "without", "off", "disable", "0"}, strings.ToLower(value))
}

// parseList reads a one-line-style .list file (sources.list(5)). Lines it does
// not understand are passed over: apt itself complains of them.
func parseList(data []byte) []source {
	var out []source
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		if s, ok := parseListLine(line); ok {
			out = append(out, s)
		}
	}
	return out
}

func parseListLine(line string) (source, bool) {
	kind, rest, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(line), "\t", " "), " ")
	if kind != "deb" {
		return source{}, false
	}
	var s source
	rest = strings.TrimSpace(rest)
	if after, found := strings.CutPrefix(rest, "["); found {
		options, tail, closed := strings.Cut(after, "]")
		if !closed {
			return source{}, false
		}
		s.SignedBy = listOption(options, "signed-by")
		rest = tail
	}
	fields := strings.Fields(rest)
	if len(fields) < 3 || strings.HasPrefix(fields[0], "cdrom:") {
		return source{}, false
	}
	s.URI, s.Suites, s.Components = fields[0], fields[1:2], fields[2:]
	return s, true
}

// listOption finds an option's value; several values stand with commas
// between, as deb822 has them with spaces.
func listOption(options, name string) string {
	for option := range strings.FieldsSeq(options) {
		if key, value, found := strings.Cut(option, "="); found && strings.EqualFold(key, name) {
			return strings.Join(strings.FieldsFunc(value, func(r rune) bool { return r == ',' }), " ")
		}
	}
	return ""
}

// archives are the two repositories Debian kernels come from. Security is nil
// when the machine has none.
type archives struct {
	Main     *source
	Security *source
}

// findArchives picks Debian's own archive and its security archive. Others may
// use Debian's suite names too, so one whose keyring is Debian's, or which
// also has the -updates suite, goes first.
func findArchives(all []source) archives {
	var found archives
	var best, bestSecurity int
	for _, s := range all {
		if !slices.Contains(s.Components, "main") {
			continue
		}
		score := 1
		if strings.Contains(s.SignedBy, "debian-archive") {
			score += 2
		}
		for _, suite := range s.Suites {
			if strings.HasSuffix(suite, "-updates") && !strings.Contains(suite, "proposed") {
				score++
			}
		}
		main, security := debianSuites(s.Suites)
		if main && score > best {
			found.Main, best = &s, score
		}
		if security && score > bestSecurity {
			found.Security, bestSecurity = &s, score
		}
	}
	return found
}

// debianSuites says whether suites of Debian's archive, or of its security
// archive, are among those given.
func debianSuites(suites []string) (main, security bool) {
	known := []string{
		"buster", "bullseye", "bookworm", "trixie", "forky", "duke", "sid", "experimental", "rc-buggy",
		"oldoldstable", "oldstable", "stable", "testing", "unstable",
	}
	for _, suite := range suites {
		if base, ok := strings.CutSuffix(suite, "-security"); ok {
			security = security || slices.Contains(known, base)
			continue
		}
		if base, ok := strings.CutSuffix(suite, "/updates"); ok {
			security = security || slices.Contains(known, base)
			continue
		}
		for _, tail := range []string{"-updates", "-backports"} {
			suite = strings.TrimSuffix(suite, tail)
		}
		main = main || slices.Contains(known, suite)
	}
	return main, security
}

// suite is one suite to ask a mirror for.
type suite struct {
	Name   string
	Source *source
}

// stableSuites are Debian's releases since 5.10's, the oldest first.
func stableSuites() []string { return []string{"bullseye", "bookworm", "trixie", "forky"} }

// ownSuite is the suite that the machine's own packages come from; where its
// configuration has only another name for one, as "stable", trixie.
func (a archives) ownSuite() string {
	for _, name := range a.Main.Suites {
		if slices.Contains(append(stableSuites(), "sid"), name) {
			return name
		}
	}
	return "trixie"
}

// suites lists what to ask for: Debian's suites from 5.10's on, with their
// backports and security.
func (a archives) suites() []suite {
	var out []suite
	stable := stableSuites()
	for _, name := range append(stableSuites(), "sid", "experimental") {
		out = append(out, suite{name, a.Main})
	}
	for _, name := range stable {
		out = append(out, suite{name + "-backports", a.Main})
		if a.Security != nil {
			out = append(out, suite{name + "-security", a.Security})
		}
	}
	return out
}

// sourcesFile writes the suites as a deb822 .sources file.
func sourcesFile(all []suite) string {
	var b strings.Builder
	for _, s := range all {
		b.WriteString("Types: deb\nURIs: " + s.Source.URI + "\nSuites: " + s.Name +
			"\nComponents: main\nArchitectures: amd64\nTargets: Packages\n")
		if s.Source.SignedBy != "" {
			b.WriteString("Signed-By: " + strings.ReplaceAll(s.Source.SignedBy, "\n", "\n ") + "\n")
		}
		b.WriteString("\n")
	}
	return b.String()
}
