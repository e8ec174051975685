// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

// nicScenarios are those of the catalogue with these names.
func nicScenarios(t *testing.T, names ...string) []scenarios.Scenario {
	t.Helper()
	var out []scenarios.Scenario
	for _, sc := range catalogue(t) {
		if slices.Contains(names, sc.Name) {
			out = append(out, sc)
		}
	}
	if len(out) != len(names) {
		t.Fatalf("%d of %d scenarios are in the catalogue", len(out), len(names))
	}
	return out
}

func TestCardsCommandLine(t *testing.T) {
	tests := []struct {
		card card
		want string
	}{
		{card{model: "e1000", mac: "02:00:00:00:00:01"}, "-netdev user,id=net0,restrict=on,ipv6=off -device e1000,id=card0,netdev=net0,mac=02:00:00:00:00:01,romfile="},
		{card{number: 3, model: "pcnet", mac: "m", fd: 7}, "-netdev socket,id=net3,fd=7 -device pcnet,id=card3,netdev=net3,mac=m,romfile="},
		{
			card{number: cardsOnRoot, model: "pcnet", mac: "m", fd: 7},
			"-device pci-bridge,id=cards1,chassis_nr=1,shpc=off -netdev socket,id=net24,fd=7 -device pcnet,id=card24,netdev=net24,mac=m,romfile=,bus=cards1",
		},
		{
			card{number: cardsOnRoot + cardsOnBridge + 1, model: "tulip", mac: "m"},
			"-netdev user,id=net53,restrict=on,ipv6=off -device tulip,id=card53,netdev=net53,mac=m,romfile=,bus=cards2",
		},
	}
	for _, tt := range tests {
		if got := strings.Join(tt.card.Cmdline(), " "); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
	if got := (monitor{fd: 6}).Cmdline(); !slices.Contains(got, "socket,id=monitor,fd=6") {
		t.Errorf("the monitor is %q", got)
	}
}

func TestDeviceNames(t *testing.T) {
	text := "Network devices:\nname \"e1000\", bus PCI, alias \"e1000-82540em\", desc \"Intel\"\nname \"ne2k_pci\", bus PCI\n\nbroken name \"x\"\nname \"open\n"
	if got := deviceNames(text); strings.Join(got, " ") != "e1000 ne2k_pci open\n" {
		t.Errorf("%q", got)
	}
}

// fakeLister is a QEMU that has these models alone.
func fakeLister(t *testing.T, models ...string) string {
	t.Helper()
	text := "#!/bin/sh\n"
	for _, m := range models {
		text += fmt.Sprintf("echo 'name \"%s\", bus PCI'\n", m)
	}
	file := filepath.Join(t.TempDir(), "qemu")
	if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestNewCards(t *testing.T) {
	if c, err := newCards("/nonexistent", named(t, "a/first")); c != nil || err != nil {
		t.Errorf("without a nic: %v, %v", c, err)
	}
	list := nicScenarios(t, "nic/i82559er-takes", "nic/virtio-net-pci-none", "nic/igb-takes")
	c, err := newCards(fakeLister(t, "i82559er", "virtio-net-pci"), list)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if len(c.list) != 2 || len(c.files()) != 2 || c.list[0].fd != 0 || c.list[1].fd != firstCardFD+1 {
		t.Errorf("cards %+v, %d files", c.list, len(c.files()))
	}
	if err := c.started(); err != nil {
		t.Error(err)
	}
	if _, err := newCards("/nonexistent", list); err == nil {
		t.Error("no error without a QEMU")
	}
}

func TestFullSocketTakesNothing(t *testing.T) {
	near, far, err := fullSocket()
	if err != nil {
		t.Fatal(err)
	}
	defer closers{near, far}.Close()
	conn, err := near.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var werr error
	if err := conn.Control(func(fd uintptr) { _, werr = unix.Write(int(fd), []byte{1}) }); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(werr, syscall.EAGAIN) {
		t.Errorf("it takes a byte: %v", werr)
	}
}

// fakeMonitor answers like QEMU: a greeting, events between, an error for the
// card that is called wrong.
func fakeMonitor(t *testing.T, theirs io.ReadWriter) <-chan string {
	t.Helper()
	heard := make(chan string, 10)
	go func() {
		defer close(heard)
		fmt.Fprintln(theirs, `{"QMP": {"version": {}}}`)
		in := bufio.NewScanner(theirs)
		for in.Scan() {
			heard <- in.Text()
			fmt.Fprintln(theirs, `{"event": "NIC_RX_FILTER_CHANGED"}`)
			if strings.Contains(in.Text(), "card1") {
				fmt.Fprintln(theirs, `{"error": {"class": "DeviceNotFound", "desc": "Device 'card1' not found"}}`)
				continue
			}
			fmt.Fprintln(theirs, `{"return": {}}`)
		}
	}()
	return heard
}

func TestAnswer(t *testing.T) {
	ours, theirs, err := socketPair()
	if err != nil {
		t.Fatal(err)
	}
	heard := fakeMonitor(t, theirs)
	c := &cards{monitor: ours, list: []card{{number: 0, mac: "a"}, {number: 1, mac: "b"}}}
	if err := c.answer("unplug a"); err != nil {
		t.Error(err)
	}
	for ask, want := range map[string]string{
		"unplug b": "Device 'card1' not found",
		"unplug c": "does not have",
		"quit":     "nobody does",
		"":         "nobody does",
	} {
		if err := c.answer(ask); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", ask, err, want)
		}
	}
	if err := (*cards)(nil).answer("unplug a"); !errors.Is(err, errNoCards) {
		t.Errorf("no cards: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := theirs.SetDeadline(time.Now()); err != nil {
		t.Error(err)
	}
	var all []string
	for line := range heard {
		all = append(all, line)
	}
	if err := theirs.Close(); err != nil {
		t.Error(err)
	}
	if len(all) != 3 || !strings.Contains(all[0], "qmp_capabilities") || !strings.Contains(all[1], `"name":"card0","up":false`) {
		t.Errorf("QEMU heard %q", all)
	}
}

// TestRealCards sends through real drivers on one kernel: one that leaves
// nothing, one whose ring fills, and one that loses its cable.
func TestRealCards(t *testing.T) {
	v := realVM(t, "debian:6.1")
	v.Self = filepath.Join(t.TempDir(), "skleak")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", v.Self, "../cmd/skleak")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the guest: %v: %s", err, text)
	}
	v.Options = json.RawMessage(`{"harness": {"settle": 300000000, "patience": 500000000, "quiet": true}, "jobs": 1}`)
	list := nicScenarios(t, "nic/i82559er-takes", "nic/virtio-net-pci-none", "nic/virtio-net-pci-unplugged")
	traces := map[string]*record.Trace{}
	for e, err := range v.Run(t.Context(), list) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Ends() && e.Trace == nil {
			t.Errorf("%s: %s: %s", e.Scenario, e.Kind, e.Text)
		}
		if e.Kind == record.EventAsk {
			t.Errorf("%q went further than the host", e.Text)
		}
		if e.Trace != nil {
			traces[e.Scenario] = e.Trace
		}
	}
	if len(traces) != len(list) {
		t.Fatalf("%d traces", len(traces))
	}
	if tr := traces["nic/i82559er-takes"]; tr.Sent != 3000 || tr.Settle.Bytes != 0 {
		t.Errorf("e100: %d sent, %d held", tr.Sent, tr.Settle.Bytes)
	}
	full := traces["nic/virtio-net-pci-none"]
	if full.Settle.Bytes == 0 || len(full.Rungs) == 0 {
		t.Fatalf("virtio_net's ring is not full: %+v", full.Settle)
	}
	if last := full.Rungs[len(full.Rungs)-1]; last.Rung != record.RungDelete || last.After != 0 || last.Before == 0 {
		t.Errorf("virtio_net: the last rung is %+v", last)
	}
	if tr := traces["nic/virtio-net-pci-unplugged"]; len(tr.Faults) != 1 || !strings.HasPrefix(tr.Faults[0], "eth0 unplugged at packet ") {
		t.Errorf("faults %q", tr.Faults)
	}
}
