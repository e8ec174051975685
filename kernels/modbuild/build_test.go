// SPDX-License-Identifier: GPL-2.0-only

package modbuild

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"skleak/kernels"
	"skleak/mutants"
)

const driver = `struct sk_buff;
static int dummy_xmit(struct sk_buff *skb)
{
	count(skb);
	free_it(skb);
	return 0;
}
`

func TestPatch(t *testing.T) {
	if _, err := exec.LookPath("spatch"); err != nil {
		t.Skip("spatch is not installed: apt-get install coccinelle")
	}
	for _, test := range []struct {
		name, cocci string
		changes     bool
		fails       bool
	}{
		{"forgets", "@@\nidentifier skb;\n@@\ndummy_xmit(struct sk_buff *skb)\n{\n<+...\n- free_it(skb);\n...+>\n}\n", true, false},
		{"does not apply", "@@\n@@\n- no_such_call();\n", false, true},
		{"is no patch", "@@\n@ nonsense", false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			from, to := filepath.Join(dir, "from.c"), filepath.Join(dir, "work", "dummy.c")
			write(t, from, driver)
			write(t, to, driver)
			diff, err := patch(t.Context(), mutants.Mutant{Name: "m", Patch: test.cocci}, from, to)
			if (err != nil) != test.fails {
				t.Fatalf("got %v", err)
			}
			if test.name == "does not apply" && !errors.Is(err, ErrNothingChanged) {
				t.Errorf("got %v, want ErrNothingChanged", err)
			}
			if !test.changes {
				return
			}
			text, err := os.ReadFile(to)
			if err != nil || strings.Contains(string(text), "free_it") || !strings.Contains(diff, "-	free_it(skb);") {
				t.Errorf("patched to %q (%v), diff %q", text, err, diff)
			}
			if before, err := os.ReadFile(from); err != nil || string(before) != driver {
				t.Errorf("the source itself became %q (%v)", before, err)
			}
		})
	}
}

// TestBuild builds the bug of 2012 for a kernel that is in the store with all
// that it is built from.
func TestBuild(t *testing.T) {
	store, err := kernels.Open("", kernels.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	list, err := store.List()
	if err != nil {
		t.Fatal(err)
	}
	b := Builder{Store: store}
	var k *kernels.Kernel
	for _, one := range list {
		if len(one.Packages) == 0 {
			continue
		}
		if _, err := os.Stat(filepath.Join(b.dir(), one.Release+"_"+one.Packages[0].Version)); err == nil {
			k = one
			break
		}
	}
	if k == nil {
		t.Skip("no kernel's source is in the store: skleak mutants build tun-no-orphan --kernel debian:6.1")
	}
	all, err := mutants.Own()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m.Name != "tun-no-orphan" {
			continue
		}
		over, err := b.Kernel(t.Context(), k, m, nil)
		if err != nil {
			t.Fatal(err)
		}
		order, err := over.LoadOrder("tun")
		if err != nil || len(order) == 0 || !strings.HasPrefix(order[len(order)-1].File, b.dir()) {
			t.Errorf("load order %v, %v", order, err)
		}
		again, err := b.Build(t.Context(), k, m, nil)
		if err != nil || !again.Cached || !strings.Contains(again.Diff, "skb_orphan") {
			t.Errorf("a second build: %+v, %v", again, err)
		}
	}
}
