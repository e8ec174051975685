// SPDX-License-Identifier: GPL-2.0-only

package mutants

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"skleak/record"
)

const good = `about: it forgets
file: [drivers/net/team/team.c, drivers/net/team/team_core.c]
module: team
stands_for: nothing
found:
  - {scenario: team/broadcast, verdict: leaked, holder: "driver of *", count: 3}
`

func folder(yaml, cocci string) fstest.MapFS {
	return fstest.MapFS{
		"forgets/mutant.yaml":  {Data: []byte(yaml)},
		"forgets/mutant.cocci": {Data: []byte(cocci)},
	}
}

func TestLoad(t *testing.T) {
	got, err := loadTrusted(folder(good, "@@ @@"), "dir")
	if err != nil {
		t.Fatal(err)
	}
	want := []Mutant{{
		Name: "forgets", Dir: "dir/forgets", Patch: "@@ @@", About: "it forgets",
		File:   Files{"drivers/net/team/team.c", "drivers/net/team/team_core.c"},
		Module: "team", StandsFor: "nothing",
		Found: []record.Found{{Scenario: "team/broadcast", Verdict: record.Leaked, Holder: "driver of *", Count: 3}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoadErrors(t *testing.T) {
	for _, test := range []struct{ name, yaml, want string }{
		{"unknown key", good + "author: me\n", "dir/forgets/mutant.yaml:7:1: unknown field"},
		{"verdict", strings.Replace(good, "leaked", "leaky", 1), `mutant.yaml:6:41: unknown verdict "leaky"`},
		{"scenario", strings.Replace(good, "team/broadcast", "team", 1), `mutant.yaml:6:16: "team" is no scenario's name`},
		{"no holder", strings.Replace(good, `, holder: "driver of *"`, "", 1), "mutant.yaml:6:41: leaked without a holder"},
		{"holder", strings.Replace(good, "driver of *", "driver of [", 1), `holder "driver of [" is no pattern`},
		{"count", strings.Replace(good, "count: 3", "count: -3", 1), "count of -3"},
		{"no about", strings.Replace(good, "it forgets", `""`, 1), "mutant.yaml:1:8: about is missing"},
		{"outside", strings.Replace(good, "drivers/net/team/team.c", "../../etc/passwd.c", 1), "is no C file"},
		{"module", strings.Replace(good, "module: team", "module: a b", 1), `mutant.yaml:3:9: "a b" is no module's name`},
		{"not yaml", "about: [", "mutant.yaml:1:"},
		{"a list", "- 1\n", "mutant.yaml:1:"},
		{"nothing", "", "want 1 to"},
		{"too long", strings.Repeat("#", maxMutant+1), "want 1 to"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := loadTrusted(folder(test.yaml, "@@ @@"), "dir")
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
		})
	}
	if _, err := loadTrusted(folder(good, ""), "dir"); err == nil {
		t.Error("a mutant without a patch was taken")
	}
	if _, err := loadTrusted(fstest.MapFS{}, "dir"); err == nil {
		t.Error("a folder without mutants was taken")
	}
}

// TestCorpus reads skleak's own mutants.
func TestCorpus(t *testing.T) {
	all, err := Own()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 24 {
		t.Errorf("%d mutants, want 24 at least", len(all))
	}
	for _, m := range all {
		if len(m.Found) == 0 {
			t.Errorf("mutant %s does not say what must find it", m.Name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("about: [\n"))
	f.Add([]byte("file: {a: b}\nfound: 3\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decode("mutant.yaml", data)
		switch {
		case err != nil && strings.Contains(err.Error(), "\n"):
			t.Errorf("an error of several lines: %q", err)
		case err == nil && (m.About == "" || len(m.File) == 0 || m.Module == ""):
			t.Errorf("%q gave %+v", data, m)
		}
	})
}
