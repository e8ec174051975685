// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"skleak/internal/testkit"
)

// A waker has the lowest priority and one processor, and goes when told.
func TestKeepAwake(t *testing.T) {
	w, err := keepAwake(DefaultSelf, []int{0})
	if err != nil {
		t.Fatal(err)
	}
	pid := w[0].Process.Pid
	if !eventually(func() bool {
		threads, err := procfs.AllThreads(pid)
		return err == nil && slices.ContainsFunc(threads, func(p procfs.Proc) bool {
			a, err := unix.SchedGetAttr(p.PID, 0)
			return err == nil && a.Policy == unix.SCHED_IDLE
		})
	}) {
		t.Error("it never took SCHED_IDLE")
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(pid, &set); err != nil || set.Count() != 1 || !set.IsSet(0) {
		t.Errorf("it may run on %d processors, %v", set.Count(), err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// A waker whose parent was killed ends by itself.
func TestWakerOfAKilledParent(t *testing.T) {
	sh := exec.Command("sh", "-c", `"$0" sandbox-awake 0 $$ & wait`, DefaultSelf)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sh.Args[3] = self
	if err := sh.Start(); err != nil {
		t.Fatal(err)
	}
	if !eventually(func() bool { return len(testkit.Processes()) > 0 }) {
		t.Fatal("no waker was started")
	}
	if err := sh.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = sh.Wait()
	for _, pid := range testkit.Processes() {
		hurry(pid)
	}
	if !eventually(func() bool { return len(testkit.Processes()) == 0 }) {
		t.Errorf("still there: %v", testkit.Processes())
	}
}

func TestAwakeByHand(t *testing.T) {
	for _, args := range [][]string{nil, {"0"}, {"x", "1"}, {"100000", "1"}} {
		if status := Awake(args); status != 1 {
			t.Errorf("%q gives %d", args, status)
		}
	}
}

// eventually waits long: on a busy machine what has the lowest priority hardly
// runs, and cannot even end.
func eventually(done func() bool) bool {
	for range 3000 {
		if done() {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}
