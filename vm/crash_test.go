// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"skleak/record"
)

// oopsText is an oops as a guest's console has it.
func oopsText(address string, panics bool) string {
	text := fmt.Sprintf(`[    2.0] BUG: kernel NULL pointer dereference, address: %s
[    2.0] #PF: supervisor read access in kernel mode
[    2.0] Oops: 0000 [#1] PREEMPT SMP NOPTI
[    2.0] CPU: 0 PID: 77 Comm: skleak Not tainted 6.1.0 #1
[    2.0] RIP: 0010:veth_xmit+0x41/0x1d0 [veth]
[    2.0] Code: 00 11
[    2.0] Call Trace:
[    2.0]  <TASK>
[    2.0]  ? page_fault_oops+0xd2/0x2b0
[    2.0]  ? exc_page_fault+0x70/0x170
[    2.0]  dev_hard_start_xmit+0x%s/0x1f0
[    2.0]  __dev_queue_xmit+0x80c/0xdb0
[    2.0]  ip_finish_output2+0x2a1/0x590
[    2.0]  raw_sendmsg+0x8d3/0xa10
[    2.0]  </TASK>
[    2.0] ---[ end trace 0000000000000000 ]---
[    2.0] RIP: 0010:veth_xmit+0x41/0x1d0 [veth]
`, address, address[len(address)-2:])
	if panics {
		text += "[    2.1] Kernel panic - not syncing: Fatal exception in interrupt\n[    2.1] ---[ end Kernel panic - not syncing: Fatal exception in interrupt ]---\n"
	}
	return text
}

func crashesOf(text string) []record.Crash {
	c := newConsoleLog()
	_, _ = c.Write([]byte(text))
	return c.Crashes()
}

func TestCrashesOfAConsole(t *testing.T) {
	frames := []string{"veth_xmit", "dev_hard_start_xmit", "__dev_queue_xmit", "ip_finish_output2"}
	first := crashesOf(oopsText("0000000000000008", true))
	want := []record.Crash{{Text: "BUG: kernel NULL pointer dereference, address: 0000000000000008", Frames: frames}}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Error(diff)
	}
	other := crashesOf(strings.ReplaceAll(oopsText("00000000deadbe42", true), "0x41", "0x99"))
	if len(other) != 1 || other[0].Fingerprint() != first[0].Fingerprint() {
		t.Errorf("at another address: %+v", other)
	}
	panicked := crashesOf(`[1.0] Kernel panic - not syncing: sysrq triggered crash
[1.0] CPU: 0 PID: 1 Comm: init
[1.0] Call Trace:
[1.0]  <TASK>
[1.0]  dump_stack_lvl+0x44/0x5c
[1.0]  panic+0x118/0x2ed
[1.0]  sysrq_handle_crash+0x16/0x20
[1.0]  __handle_sysrq.cold+0x92/0x121
`)
	want = []record.Crash{{Text: "Kernel panic - not syncing: sysrq triggered crash", Frames: []string{"sysrq_handle_crash", "__handle_sysrq.cold"}}}
	if diff := cmp.Diff(want, panicked); diff != "" {
		t.Error(diff)
	}
	for _, sound := range []string{
		"[1.0] WARNING: CPU: 0 PID: 12 at net/core/dev.c:1 x+0x1/0x2\n[1.0] RIP: 0010:x+0x1/0x2\n",
		"[1.0] watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [skleak:71]\n[1.0] RIP: 0010:x+0x1/0x2\n",
		"[1.0] BUG: workqueue lockup - pool cpus=0 stuck for 32s!\n",
		"[1.0] e1000: link is up\n",
	} {
		if got := crashesOf(sound); len(got) > 0 {
			t.Errorf("%q was taken for a crash: %+v", sound, got)
		}
	}
	for _, c := range []string{"a at 0x12ab and 77", "a at 0x9 and 5"} {
		if got := (record.Crash{Text: c}).Fingerprint(); got != "a at N and N" {
			t.Errorf("%q: %q", c, got)
		}
	}
}

// No crash of a guest vanishes, whenever it comes.
func TestEveryCrashIsTold(t *testing.T) {
	self := testGuest()
	for name, c := range map[string]struct {
		script string
		// scenario and among are of the one crash there is; ends how many scenarios
		// came to an end.
		scenario, among string
	}{
		"none":               {"begin a/1; skip a/1; begin a/2; skip a/2; bye", "-", ""},
		"in one":             {`[ $guest = 2 ] && { begin a/2; skip a/2; bye; }; begin a/1; crash`, "a/1", ""},
		"with two under way": {`case $guest in 1) begin a/1; begin a/2; crash;; 2) begin a/1; skip a/1; bye;; *) begin a/2; skip a/2; bye;; esac`, "", "a/1,a/2"},
		"between two":        {`[ $guest = 2 ] && { begin a/2; skip a/2; bye; }; begin a/1; skip a/1; crash`, "", ""},
		"after the last":     {"begin a/1; skip a/1; begin a/2; skip a/2; crash", "", ""},
		"after the bye":      {`begin a/1; skip a/1; begin a/2; skip a/2; say '"kind":"bye"'; crash`, "", ""},
		"before the bye":     {`begin a/1; skip a/1; begin a/2; skip a/2; cat <"$oops"; bye`, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			oops := t.TempDir() + "/oops"
			if err := os.WriteFile(oops, []byte(oopsText("0000000000000008", true)), 0o644); err != nil {
				t.Fatal(err)
			}
			fakeQEMU(t, "oops="+oops+"\ncrash() { cat \"$oops\"; exit; }\n"+c.script)
			var crashes []record.Crash
			ends := 0
			for e, err := range testVM(self).Run(t.Context(), named(t, "a/1", "a/2")) {
				if err != nil {
					t.Fatal(err)
				}
				if e.Kind == record.EventCrash {
					crashes = append(crashes, *e.Crash)
				}
				if e.Ends() {
					ends++
				}
			}
			if ends != 2 {
				t.Errorf("%d scenarios ended, want 2", ends)
			}
			if c.scenario == "-" {
				if len(crashes) > 0 {
					t.Errorf("crashes of a sound guest: %+v", crashes)
				}
				return
			}
			if len(crashes) != 1 || crashes[0].Scenario != c.scenario || strings.Join(crashes[0].Among, ",") != c.among || len(crashes[0].Frames) != 4 {
				t.Errorf("crashes %+v, want one of %q, among %q", crashes, c.scenario, c.among)
			}
		})
	}
}
