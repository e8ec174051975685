// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	t.Chdir("/")
	for _, c := range []struct{ in, want string }{
		{"debian:6.12", "debian:6.12/amd64"},
		{"debian:6.12.43", "debian:6.12.43/amd64"},
		{"debian:6.12/cloud", "debian:6.12/cloud"},
		{"debian:7.3~rc7", "debian:7.3~rc7/amd64"},
		{"debian:7.3-rc7", "debian:7.3~rc7/amd64"},
		{"debian:6.1..7.3", "debian:6.1..7.3/amd64"},
		{"debian:6.1.170..6.1/cloud", "debian:6.1.170..6.1/cloud"},
		{"debian:6.1+tun-no-orphan", "debian:6.1/amd64+tun-no-orphan"},
		{"path:src/linux", "path:/src/linux"},
		{"path:/src/../linux", "path:/linux"},
		{"file:boot/vmlinuz,/lib/modules", "file:/boot/vmlinuz,/lib/modules"},
	} {
		spec, err := Parse(c.in)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.in, err)
			continue
		}
		if got := spec.String(); got != c.want {
			t.Errorf("Parse(%q) = %s, want %s", c.in, got, c.want)
		}
	}
}

func TestParseSaysTheForms(t *testing.T) {
	for _, c := range []struct{ in, why string }{
		{"", "no source"},
		{"6.12", "no source"},
		{"ubuntu:6.12", `"ubuntu" is no source`},
		{"debian:", "no kernel version"},
		{"debian:6", "no kernel version"},
		{"debian:6.12.4.3", "no kernel version"},
		{"debian:06.1", "no kernel version"},
		{"debian:6.1.2~rc3", "no kernel version"},
		{"debian:6.12/arm64", `no flavour "arm64"`},
		{"debian:6.12/", `no flavour ""`},
		{"debian:7.3..6.1", "ends (6.1) before it begins (7.3)"},
		{"debian:6.1+", "no mutant's name"},
		{"debian:6.1+../x", "no mutant's name"},
		{"path:", "names no folder"},
		{"file:/boot/vmlinuz", "comma between"},
		{"file:a,b,c", "more than one comma"},
	} {
		_, err := Parse(c.in)
		if err == nil || !strings.Contains(err.Error(), c.why) || !strings.Contains(err.Error(), "debian:6.12.43 ") {
			t.Errorf("Parse(%q): %v; want %q and the forms", c.in, err, c.why)
		}
	}
}

func TestParseList(t *testing.T) {
	specs, err := ParseList("debian:6.1,file:/b,/m,path:/x")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range specs {
		got = append(got, s.String())
	}
	if diff := cmp.Diff([]string{"debian:6.1/amd64", "file:/b,/m", "path:/x"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := ParseList("debian:6.1,"); err == nil {
		t.Error("an empty spec at the end is taken")
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"debian:6.12", "debian:6.1..7.3/cloud+a-b", "path:/x", "file:/a,/b", "debian:7.3~rc7", "::", "debian:1.0..1.0.0"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		spec, err := Parse(in)
		if err != nil {
			return
		}
		again, err := Parse(spec.String())
		if err != nil {
			t.Fatalf("%q gives %q, which does not parse: %v", in, spec, err)
		}
		if diff := cmp.Diff(spec, again); diff != "" {
			t.Fatalf("%q: %s", in, diff)
		}
	})
}

func TestVersionOrder(t *testing.T) {
	inOrder := []string{"5.10.262", "6.1.9", "6.1.10", "6.12.0", "7.3~rc6", "7.3~rc7", "7.3.0", "7.3.4", "10.0.1"}
	for i := range inOrder[1:] {
		a, errA := ParseVersion(inOrder[i])
		b, errB := ParseVersion(inOrder[i+1])
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if a.Compare(b) >= 0 || b.Compare(a) <= 0 || a.Compare(a) != 0 {
			t.Errorf("%s is not before %s", a, b)
		}
	}
}

func TestSpecCovers(t *testing.T) {
	for _, c := range []struct {
		spec, in, out string
	}{
		{"debian:6.1", "6.1.0 6.1.99", "6.12.1 6.2.0 5.10.1"},
		{"debian:6.1.9", "6.1.9", "6.1.8 6.1.90"},
		{"debian:7.3", "7.3~rc7 7.3.4", "7.4~rc1"},
		{"debian:6.1..7.3", "6.1.0 6.18.5 7.3~rc7 7.3.4", "5.10.262 7.4~rc1"},
		{"debian:6.1.5..6.1.7", "6.1.5 6.1.6 6.1.7", "6.1.4 6.1.8"},
	} {
		spec, err := Parse(c.spec)
		if err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]bool{c.in: true, c.out: false} {
			for v := range strings.FieldsSeq(text) {
				version, err := ParseVersion(v)
				if err != nil {
					t.Fatal(err)
				}
				if spec.covers(version) != want {
					t.Errorf("%s covers %s: %v", c.spec, v, !want)
				}
			}
		}
	}
}

func TestNameAndItsMutant(t *testing.T) {
	for _, c := range []struct{ in, plain, mutant string }{
		{"debian:6.1.9/amd64+tun-no-orphan", "debian:6.1.9/amd64", "tun-no-orphan"},
		{"debian:6.1.9/amd64", "debian:6.1.9/amd64", ""},
		{"path:/src/a+b", "path:/src/a+b", ""},
		{"no name", "no name", ""},
	} {
		plain, mutant := Name(c.in).Split()
		if string(plain) != c.plain || mutant != c.mutant || plain.With(mutant) != Name(c.in) {
			t.Errorf("%s is %s with %q", c.in, plain, mutant)
		}
	}
}
