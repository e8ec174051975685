// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"skleak/kernels"
	"skleak/record"
)

// realKernels are the kernels that guests are really booted with: the oldest,
// one with virtio as modules, the newest.
func realKernels() []string { return []string{"debian:5.10", "debian:6.1", "debian:7.3"} }

// realVM is a VM of a kernel of the user's store, which is fetched if need be.
func realVM(t testing.TB, kernel string) VM {
	t.Helper()
	if testing.Short() {
		t.Skip("boots a VM")
	}
	store, err := kernels.Open("", kernels.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	spec, err := kernels.Parse(kernel)
	if err != nil {
		t.Fatal(err)
	}
	names, err := store.Resolve(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	k, err := store.Fetch(t.Context(), names[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	return VM{Kernel: k, Self: testGuest(), Accel: AccelTCG, Deadlines: DefaultDeadlines()}
}

func TestRealGuests(t *testing.T) {
	for _, kernel := range realKernels() {
		t.Run(kernel, func(t *testing.T) {
			t.Parallel()
			v := realVM(t, kernel)
			list := named(t, "a/first", "a/flood", "a/modules", "a/panic", "a/last")
			got, err := told(t.Context(), v, list)
			if err != nil {
				t.Fatal(err)
			}
			text := strings.Join(got, "\n")
			for _, want := range []string{
				"a/first skip: did first", "a/flood skip: flooded", "bonding ", "a/last skip: did last",
				"a/panic trouble: kernel " + string(v.Kernel.Name) + ": panic: Kernel panic - not syncing: sysrq triggered crash",
			} {
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in\n%s", want, text)
				}
			}
		})
	}
}

func TestGuestsWorkerDies(t *testing.T) {
	v := realVM(t, "debian:6.1")
	got, err := told(t.Context(), v, named(t, "a/die", "a/last"))
	text := strings.Join(got, "\n")
	if err != nil || !strings.Contains(text, "a/die trouble") || !strings.Contains(text, "guest-worker ended: killed") || !strings.Contains(text, "a/last skip: did last") {
		t.Errorf("got %v\n%s", err, text)
	}
}

func TestGuestGarbles(t *testing.T) {
	v := realVM(t, "debian:6.1")
	got, err := told(t.Context(), v, named(t, "a/first", "a/garble", "a/last"))
	text := strings.Join(got, "\n")
	if err != nil || !strings.Contains(text, "a/garble trouble") || !strings.Contains(text, "line that is no event") ||
		!strings.Contains(text, "a/first skip: did first") || !strings.Contains(text, "a/last skip: did last") {
		t.Errorf("got %v\n%s", err, text)
	}
}

func TestGuestHangs(t *testing.T) {
	v := realVM(t, "debian:6.1")
	v.Deadlines.Quiet = 10 * time.Second
	got, err := told(t.Context(), v, named(t, "a/hang", "a/last"))
	text := strings.Join(got, "\n")
	if err != nil || !strings.Contains(text, "did not show a sign of life within 10s") || !strings.Contains(text, "a/last skip: did last") {
		t.Errorf("got %v\n%s", err, text)
	}
}

// TestGuestIsKilled kills QEMU itself in the middle of a scenario.
func TestGuestIsKilled(t *testing.T) {
	v := realVM(t, "debian:6.1")
	killed := false
	var text strings.Builder
	for e, err := range v.Run(t.Context(), named(t, "a/wait", "a/last")) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind == record.EventBegin && !killed {
			killed = true
			for _, pid := range ourQEMUs() {
				var n int
				if _, err := fmt.Sscan(pid, &n); err != nil {
					t.Fatal(err)
				}
				if err := syscall.Kill(n, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
		}
		if e.Ends() {
			fmt.Fprintf(&text, "%s %s: %s\n", e.Scenario, e.Kind, e.Text)
		}
	}
	if got := text.String(); !strings.Contains(got, "QEMU ended before the guest was done: signal: killed") || !strings.Contains(got, "a/last skip: did last") {
		t.Error(got)
	}
}

func TestELFThatIsNoKernel(t *testing.T) {
	v := realVM(t, "debian:6.1")
	k := *v.Kernel
	k.Vmlinux, v.Kernel = testGuest(), &k
	v.Deadlines.Boot = 20 * time.Second
	_, err := told(t.Context(), v, named(t, "a/1"))
	var infra *InfraError
	if !errors.As(err, &infra) || !strings.Contains(Explain(err), "QEMU was: ") {
		t.Errorf("got %v", err)
	}
}

// TestKernelWithoutVirtio leaves out the modules, so that events go by ttyS1.
func TestKernelWithoutVirtio(t *testing.T) {
	v := realVM(t, "debian:6.1")
	k := *v.Kernel
	k.ModulesDir, v.Kernel = "", &k
	got, err := told(t.Context(), v, named(t, "a/1"))
	if err != nil || len(got) != 1 || got[0] != "a/1 skip: did 1" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestKeep(t *testing.T) {
	v := realVM(t, "debian:6.1")
	v.Keep = t.TempDir()
	if err := v.hello(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"console.log", "initramfs.cpio", "qemu"} {
		if _, err := os.Stat(filepath.Join(v.Keep, name)); err != nil {
			t.Error(err)
		}
	}
}
