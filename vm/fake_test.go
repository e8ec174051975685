// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"skleak/kernels"
	"skleak/record"
	"skleak/scenarios"
)

// fakeQEMU puts a shell script in QEMU's place. In it `say JSON` sends an
// event with the next number, and $guest is the number of the guest from 1.
func fakeQEMU(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	head := `#!/bin/sh
[ "$1" = --version ] && { echo fake; exit; }
guest=$(($(cat ` + dir + `/count 2>/dev/null || echo 0) + 1)); echo $guest > ` + dir + `/count
n=0
say() { n=$((n + 1)); echo "{\"v\":1,\"seq\":$n,$1}" >&3; }
begin() { say "\"kind\":\"begin\",\"scenario\":\"$1\""; }
skip() { say "\"kind\":\"skip\",\"scenario\":\"$1\",\"text\":\"guest $guest\""; }
bye() { say '"kind":"bye"'; exit; }
`
	if err := os.WriteFile(filepath.Join(dir, Program), []byte(head+script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func testVM(self string) VM {
	return VM{
		Kernel: &kernels.Kernel{Name: "fake:1", Vmlinux: "vmlinux", PVH: true}, Self: self, Accel: AccelTCG,
		ConfigSum: "abc", Deadlines: Deadlines{Boot: time.Minute, Quiet: time.Minute, Total: time.Minute},
		Replay: "skleak vm run --kernel fake:1",
	}
}

// named are scenarios that differ in their names alone.
func named(t *testing.T, names ...string) []scenarios.Scenario {
	t.Helper()
	one := catalogue(t)[0]
	var list []scenarios.Scenario
	for _, name := range names {
		one.Name = name
		list = append(list, one)
	}
	return list
}

// told runs list and gives a line for each event that ends a scenario.
func told(ctx context.Context, v VM, list []scenarios.Scenario) ([]string, error) {
	var lines []string
	for e, err := range v.Run(ctx, list) {
		if err != nil {
			return lines, err
		}
		if e.Ends() {
			lines = append(lines, fmt.Sprintf("%s %s: %s", e.Scenario, e.Kind, e.Text))
		}
	}
	return lines, nil
}

func TestGuestsThatGoWrong(t *testing.T) {
	self := testGuest()
	for _, c := range []struct {
		name   string
		script string
		// want are the beginnings of what is told, in order; err is in the error.
		want []string
		err  string
		// inside are pieces of text that must be told somewhere.
		inside []string
	}{
		{name: "all is well", script: "begin a/1; skip a/1; begin a/2; skip a/2; begin a/3; skip a/3; bye",
			want: []string{"a/1 skip: guest 1", "a/2 skip: guest 1", "a/3 skip: guest 1"}},
		{name: "nothing is said", script: "exit 3", err: "QEMU ended before the guest was done: exit status 3"},
		{name: "QEMU complains", script: "echo could not load kernel >&2; exit 1", err: "could not load kernel"},
		{name: "a panic at boot", script: "echo '[ 1.0] Kernel panic - not syncing: no'; exit 0", err: "kernel fake:1: panic: Kernel panic - not syncing: no"},
		{name: "a panic under way", want: []string{"a/1 skip: guest 1", "a/2 trouble: kernel fake:1: panic: Kernel panic - not syncing: of a/2", "a/3 skip: guest 2"},
			script: `[ $guest = 2 ] && { begin a/3; skip a/3; bye; }
begin a/1; skip a/1; begin a/2; echo '[ 2.0] Kernel panic - not syncing: of a/2'; exec sleep 60`,
			inside: []string{"QEMU was: ", "again: skleak vm run --kernel fake:1", "| [ 2.0] Kernel panic"}},
		{name: "two under way", want: []string{"a/3 skip: guest 2", "a/1 skip: guest 3", "a/2 trouble: kernel fake:1: oops: BUG: of a/2"},
			script: `case $guest in 1) begin a/1; begin a/2; echo 'BUG: somewhere'; exit;; 2) begin a/3; skip a/3; bye;;
3) begin a/1; skip a/1; bye;; *) begin a/2; echo 'BUG: of a/2';; esac`},
		{name: "a garbled line", want: []string{"a/1 trouble: VM of kernel fake:1: listen to the guest", "a/2 skip: guest 2", "a/3 skip: guest 2"},
			script: `[ $guest = 2 ] && { begin a/2; skip a/2; begin a/3; skip a/3; bye; }; begin a/1; echo '[ 3.0] not an event' >&3; exec sleep 60`,
			inside: []string{"line that is no event"}},
		{name: "a lost line", want: []string{"a/1 trouble: VM of kernel fake:1", "a/2 skip", "a/3 skip"},
			script: `[ $guest = 2 ] && { begin a/2; skip a/2; begin a/3; skip a/3; bye; }; begin a/1; n=9; skip a/1; exec sleep 60`,
			inside: []string{"events are missing"}},
		{name: "a guest that says bye too soon", script: "begin a/1; bye", want: []string{"a/1 trouble: the guest ended", "a/2 trouble: the guest ended", "a/3 trouble: the guest ended"}},
		{name: "a guest that cannot run anything", script: `say '"kind":"trouble","text":"no namespaces"'; bye`, err: "no namespaces"},
		{name: "a guest that dies again and again", script: `case $guest in 1) begin a/1;; 2) say '"kind":"hello","kernel":{"source":"host"}';; esac; exit 0`,
			want: []string{"a/1 trouble", "a/2 trouble", "a/3 trouble"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			fakeQEMU(t, c.script)
			got, err := told(t.Context(), testVM(self), named(t, "a/1", "a/2", "a/3"))
			if (c.err == "") != (err == nil) || !strings.Contains(fmt.Sprint(err), c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if len(got) != len(c.want) {
				t.Fatalf("told %q, want %q", got, c.want)
			}
			for i, want := range c.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("told %q, want %q", got[i], want)
				}
			}
			for _, piece := range c.inside {
				if !strings.Contains(strings.Join(got, "\n"), piece) {
					t.Errorf("%q is not in %q", piece, got)
				}
			}
		})
	}
}

func TestDeadlines(t *testing.T) {
	self := testGuest()
	for _, c := range []struct {
		name, script, want string
		deadlines          Deadlines
	}{
		{"boot", "exec sleep 60", "did not boot within 300ms", Deadlines{300 * time.Millisecond, time.Minute, time.Minute}},
		{"total", "begin a/1; exec sleep 60", "was not done after 1s", Deadlines{time.Minute, time.Minute, time.Second}},
		{"quiet", "begin a/1; exec sleep 60", "did not show a sign of life within 1s", Deadlines{time.Minute, time.Second, time.Minute}},
	} {
		t.Run(c.name, func(t *testing.T) {
			fakeQEMU(t, c.script)
			v := testVM(self)
			v.Deadlines = c.deadlines
			got, err := told(t.Context(), v, named(t, "a/1"))
			var infra *InfraError
			if text := strings.Join(got, "") + fmt.Sprint(err); !strings.Contains(text, c.want) || (err != nil && !errors.As(err, &infra)) {
				t.Errorf("told %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	self := testGuest()
	fakeQEMU(t, "begin a/1; exec sleep 60")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for e, err := range testVM(self).Run(ctx, named(t, "a/1")) {
		if e.Kind == record.EventBegin {
			cancel()
			continue
		}
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %v", e, err)
		}
	}
	// A listener that leaves ends the guest as well; TestMain looks.
	for _, err := range testVM(self).Run(t.Context(), named(t, "a/1")) {
		if err != nil {
			t.Error(err)
		}
		break
	}
}

func TestNoQEMU(t *testing.T) {
	self := testGuest()
	t.Setenv("PATH", t.TempDir())
	_, err := told(t.Context(), testVM(self), named(t, "a/1"))
	var infra *InfraError
	if !errors.As(err, &infra) || !strings.Contains(err.Error(), "apt install qemu-system-x86") {
		t.Errorf("got %v", err)
	}
}

func TestKernelThatCannotBoot(t *testing.T) {
	v := testVM("/bin/sh")
	v.Kernel.PVH = false
	if _, err := told(t.Context(), v, named(t, "a/1")); err == nil || !strings.Contains(err.Error(), "CONFIG_PVH") {
		t.Errorf("without PVH: %v", err)
	}
	v.Kernel.PVH = true
	fakeQEMU(t, "exit")
	if _, err := told(t.Context(), v, named(t, "a/1")); !errors.Is(err, ErrNotStatic) {
		t.Errorf("with a dynamic init: %v", err)
	}
}

func TestAccelIsRemembered(t *testing.T) {
	fakeQEMU(t, "bye")
	cache := t.TempDir()
	m, err := remembered(t.Context(), cache)
	if err != nil || m.Accel != "" || m.Key == "" {
		t.Fatalf("at first: %+v, %v", m, err)
	}
	m.Accel = AccelKVM
	if err := m.write(); err != nil {
		t.Fatal(err)
	}
	if again, err := remembered(t.Context(), cache); err != nil || again.Accel != AccelKVM {
		t.Errorf("again: %+v, %v", again, err)
	}
	if err := os.WriteFile(m.file, []byte(`{"key":"another boot","accel":"kvm"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if other, err := remembered(t.Context(), cache); err != nil || other.Accel != "" {
		t.Errorf("after another boot: %+v, %v", other, err)
	}
}
