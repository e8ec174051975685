// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

const procRaw = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  89: 00000000:0059 00000000:0000 07 0001A000:00000340 00:00000000 00000000     0        0 24177 2 0000000000000000 3
 255: 0100007F:00FF 00000000:0000 07 BFFFFFFF:00000000 00:00000000 00000000  1000        0 24178 2 ffff888003c50000 0
`

const procRaw6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  58: 00000000000000000000000000000000:003A 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 19143 2 0000000000000000 0
`

func TestParseProcRaw(t *testing.T) {
	got, err := ParseProcRaw(strings.NewReader(procRaw))
	if err != nil {
		t.Fatal(err)
	}
	want := []RawLine{
		{Slot: 89, Local: "00000000", LocalPort: 89, State: 7, TxQueue: 106496, RxQueue: 832, Inode: 24177, Drops: 3},
		{Slot: 255, Local: "0100007F", LocalPort: 255, State: 7, TxQueue: 0xBFFFFFFF, UID: 1000, Inode: 24178},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	six, err := ParseProcRaw(strings.NewReader(procRaw6))
	if err != nil || len(six) != 1 || six[0].Inode != 19143 || six[0].LocalPort != 58 {
		t.Errorf("raw6: %+v, %v", six, err)
	}
}

func TestParseProcRawOddLines(t *testing.T) {
	text := procRaw + "rubbish\n" + strings.Replace(strings.Split(procRaw, "\n")[1], "0001A000:", "0001A000", 1) + "\n"
	got, err := ParseProcRaw(strings.NewReader(text))
	if len(got) != 2 {
		t.Errorf("%d good lines, want 2", len(got))
	}
	for _, want := range []string{"line 4: 1 fields", "line 5: no colon"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("err = %v, without %q", err, want)
		}
	}
}

func FuzzParseProcRaw(f *testing.F) {
	f.Add(procRaw)
	f.Add(procRaw6)
	f.Add("\n\x00:\n" + procRaw)
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := ParseProcRaw(strings.NewReader(text))
		if err == nil && len(lines) > strings.Count(text, "\n")+1 {
			t.Errorf("%d sockets in %d lines", len(lines), strings.Count(text, "\n")+1)
		}
	})
}

const procPacket = `sk               RefCnt Type Proto  Iface R Rmem   User   Inode
ffff888004a5e800 3      3    0003   2     1 1664   0      21093
ffff888004a5e801 3      2    88cc   0     0 0      105    21094
`

func TestParseProcPacket(t *testing.T) {
	got, err := ParseProcPacket(strings.NewReader(procPacket))
	want := []PacketLine{
		{Type: 3, Proto: 3, Ifindex: 2, Running: true, Rmem: 1664, Inode: 21093},
		{Type: 2, Proto: 0x88cc, UID: 105, Inode: 21094},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if _, err := ParseProcPacket(strings.NewReader("head\n1 2 3\n")); err == nil || !strings.Contains(err.Error(), "line 2: 3 fields") {
		t.Errorf("err = %v", err)
	}
}

func FuzzParseProcPacket(f *testing.F) {
	f.Add(procPacket)
	f.Fuzz(func(t *testing.T, text string) {
		if lines, err := ParseProcPacket(strings.NewReader(text)); err == nil && len(lines) > len(text) {
			t.Errorf("%d sockets in %d bytes", len(lines), len(text))
		}
	})
}

func TestParseSlabObjects(t *testing.T) {
	if n, err := ParseSlabObjects(strings.NewReader("3072 N0=3072\n")); n != 3072 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	for _, bad := range []string{"", "N0=1", "-1"} {
		if n, err := ParseSlabObjects(strings.NewReader(bad)); err == nil {
			t.Errorf("%q gave %d", bad, n)
		}
	}
}

func FuzzParseSlabObjects(f *testing.F) {
	f.Add("3072 N0=3072\n")
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := ParseSlabObjects(strings.NewReader(text)); n < 0 || (err != nil && n != 0) {
			t.Errorf("%d, %v", n, err)
		}
	})
}

func TestCountSkbs(t *testing.T) {
	n, by, err := CountSkbs()
	if err != nil {
		t.Skipf("this machine does not show its slabs: %v", err)
	}
	if n <= 0 || by == "" {
		t.Errorf("%d skbs by %q", n, by)
	}
}

func TestParseKernelMessage(t *testing.T) {
	got, err := ParseKernelMessage("4,912,5140900,-;refcount_t: underflow; use-after-free.\n SUBSYSTEM=net\n")
	want := KernelMessage{Level: 4, Seq: 912, At: 5140900 * time.Microsecond, Text: "refcount_t: underflow; use-after-free."}
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := ParseKernelMessage("30,1,2,c,caller=T1;hello"); err != nil || got.Level != 6 || got.Text != "hello" {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "4,1;x", "a,1,2,-;x", "4,1,2,-", "4,-1,2,-;x"} {
		if got, err := ParseKernelMessage(bad); err == nil {
			t.Errorf("%q gave %+v", bad, got)
		}
	}
}

func FuzzParseKernelMessage(f *testing.F) {
	f.Add("4,912,5140900,-;refcount_t: underflow; use-after-free.\n SUBSYSTEM=net\n")
	f.Add("4,912,18446744073709551615,-;x")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseKernelMessage(text)
		if err == nil && (m.Level < 0 || m.Level > 7 || m.At < 0 || strings.Contains(m.Text, "\n")) {
			t.Errorf("%q gave %+v", text, m)
		}
	})
}

func TestWarnings(t *testing.T) {
	var log []KernelMessage
	for _, text := range []string{
		"refcount_t: underflow; use-after-free.", "v0: renamed from veth1",
		"WARNING: CPU: 0 PID: 1 at net/core/skbuff.c", "device v0 entered promiscuous mode",
		"BUG: KASAN: slab-use-after-free in skb_dequeue", "tun: (C) 1999",
		"NETDEV WATCHDOG: c0 (tulip): transmit queue 0 timed out",
		"WARNING: CPU: 0 PID: 231 at net/sched/sch_generic.c:470 dev_watchdog+0x260/0x270",
	} {
		log = append(log, KernelMessage{Text: text})
	}
	if got := Warnings(log, func(int) bool { return false }); len(got) != 3 {
		t.Errorf("warnings = %q", got)
	}
}

// A watchdog's report names what its timer interrupted, which did nothing wrong.
func TestWarningsOfAWatchdog(t *testing.T) {
	var log []KernelMessage
	for _, text := range []string{
		"------------[ cut here ]------------", "NETDEV WATCHDOG: eth0 (pcnet32): transmit queue 0 timed out",
		"WARNING: CPU: 0 PID: 7 at net/sched/sch_generic.c:467 dev_watchdog+0x260/0x270",
		"RIP: 0010:skb_put+0x33/0x40", "---[ end trace 4d2c ]---",
		"------------[ cut here ]------------", "WARNING: CPU: 0 PID: 8 at net/core/dev.c:1 x+0x1/0x2",
		"RIP: 0010:skb_put+0x33/0x40", "---[ end trace 4d2d ]---",
	} {
		log = append(log, KernelMessage{Text: text})
	}
	got := Warnings(log, func(int) bool { return false })
	if len(got) != 2 || !strings.Contains(got[0], "PID: 8") || !strings.Contains(got[1], "skb_put") {
		t.Errorf("warnings = %q", got)
	}
}

// What another process did is not ours, with what was said before it.
func TestWarningsOfOthers(t *testing.T) {
	var log []KernelMessage
	for _, text := range []string{
		"refcount_t: saturated; leaking memory.",
		"------------[ cut here ]------------", "refcount_t: underflow; use-after-free.",
		"WARNING: CPU: 0 PID: 7 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110",
		"------------[ cut here ]------------", "WARNING: CPU: 0 PID: 8 at net/core/dev.c:1 x+0x1/0x2",
	} {
		log = append(log, KernelMessage{Text: text})
	}
	got := Warnings(log, func(pid int) bool { return pid == 7 })
	if len(got) != 2 || !strings.Contains(got[0], "saturated") || !strings.Contains(got[1], "PID: 8") {
		t.Errorf("warnings = %q", got)
	}
	got = Warnings(log[2:4], func(pid int) bool { return pid == 7 })
	if len(got) != 1 || !strings.Contains(got[0], "underflow") {
		t.Errorf("without a mark: %q", got)
	}
}

// Since 6.19 a warning names its process at its end.
func TestWarningsOfBothForms(t *testing.T) {
	const cut, end = "------------[ cut here ]------------", "---[ end trace 0000000000000000 ]---"
	for name, c := range map[string]struct {
		text string
		pid  int
		ok   bool
	}{
		"old":           {"WARNING: CPU: 3 PID: 712 at net/core/dev.c:1 x+0x1/0x2", 712, true},
		"old with more": {"WARNING: CPU: 3 PID: 712 Comm: x at net/core/dev.c:1", 712, true},
		"new":           {"WARNING: net/core/dev.c:1 at x+0x1/0x2 [veth], CPU#3: skleak/712", 712, true},
		"new, no file":  {"WARNING: at x+0x1/0x2, CPU#3: skleak/712", 712, true},
		"kworker":       {"WARNING: net/core/dev.c:1 at x+0x1/0x2, CPU#3: kworker/u8:2/712", 712, true},
		"lockdep":       {"WARNING: possible recursive locking detected", 0, false},
		"rcu":           {"WARNING: suspicious RCU usage", 0, false},
		"cut short":     {"WARNING: net/core/dev.c:1 at x+0x1/0x2, CPU#3: skl", 0, false},
		"none":          {"CPU#3: skleak/712", 0, false},
	} {
		if pid, ok := warner(c.text); pid != c.pid && c.ok || ok != c.ok {
			t.Errorf("%s: %d, %v", name, pid, ok)
		}
	}
	for _, form := range []string{"WARNING: CPU: 0 PID: 7 at net/core/skbuff.c:1 y+0x1/0x2", "WARNING: net/core/skbuff.c:1 at y+0x1/0x2, CPU#0: other/7"} {
		var log []KernelMessage
		for _, text := range []string{cut, "refcount_t: underflow", form, "RIP: 0010:skb_put+0x1/0x2", end, "refcount_t: saturated"} {
			log = append(log, KernelMessage{Text: text})
		}
		got := Warnings(log, func(pid int) bool { return pid == 7 })
		if len(got) != 1 || got[0] != "refcount_t: saturated" {
			t.Errorf("%s: %q, want what came after it alone", form, got)
		}
		if got := Warnings(log, func(int) bool { return false }); len(got) != 4 {
			t.Errorf("%s, of ours: %q", form, got)
		}
	}
}

// The log is read from where it stood when it was opened.
func TestKernelLog(t *testing.T) {
	k, err := OpenKernelLog()
	if err != nil {
		t.Skipf("the kernel log may not be read here: %v", err)
	}
	log, err := k.Since()
	if err != nil || len(log) > 100 {
		t.Errorf("%d old records, %v", len(log), err)
	}
	if err := k.Close(); err != nil {
		t.Error(err)
	}
}
