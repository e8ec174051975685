// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cavaliergopher/cpio"
	"github.com/google/go-cmp/cmp"

	"skleak/kernels"
	"skleak/scenarios"
)

func updating() bool {
	f := flag.Lookup("update")
	return f != nil && f.Value.String() == "true"
}

func TestCommandLine(t *testing.T) {
	got := commandLine(board{accel: AccelTCG, memory: 512, tsc: 2596146}, image{"vmlinux", "init.cpio"}, console{}, serialEvents{fd: 4}, virtioEvents{fd: 3})
	want := strings.Fields(`-nodefaults -no-user-config -display none -no-reboot -accel tcg,thread=multi -machine q35 -m 512 -cpu qemu64,+rdrand
		-kernel vmlinux -initrd init.cpio -serial stdio -chardev socket,id=serial,fd=4 -serial chardev:serial
		-device virtio-serial-pci -chardev socket,id=events,fd=3 -device virtserialport,chardev=events,name=skleak.events -append`)
	want = append(want, "panic=-1 oops=panic quiet cryptomgr.notests no_timer_check tsc=reliable mitigations=off random.trust_cpu=on init_on_alloc=0 lsm=capability highres=off noreplace-smp rodata=off rcupdate.rcu_expedited=1 initcall_blacklist=jent_mod_init,crypto_kdf108_init,load_system_certificate_list tsc_early_khz=2596146 console=ttyS0")
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	shell := commandLine(board{accel: AccelKVM, memory: 1}, console{interactive: true})
	if !slices.Contains(shell, "kvm") || !slices.Contains(shell, "stdio,id=console,signal=off") {
		t.Errorf("a shell's command is %q", shell)
	}
}

// TestConsole reads saved consoles: each first line names what is to be
// blamed, "nothing" where there is no trouble.
func TestConsole(t *testing.T) {
	files, err := filepath.Glob("testdata/console-*.txt")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d consoles, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, text, _ := strings.Cut(string(data), "\n")
			// However the bytes come in, the alarms are the same.
			for _, step := range []int{1, 7, len(text)} {
				c := newConsoleLog()
				for piece := range slices.Chunk([]byte(text), step) {
					if _, err := c.Write(piece); err != nil {
						t.Fatal(err)
					}
				}
				got, found := blame(c.Alarms())
				if !found {
					got = "nothing"
				}
				if got != want {
					if updating() && step == 1 {
						want = got
						if err := os.WriteFile(file, []byte(want+"\n"+text), 0o644); err != nil {
							t.Fatal(err)
						}
						continue
					}
					t.Errorf("in steps of %d: %q, want %q", step, got, want)
				}
			}
		})
	}
}

func TestConsoleKeepsItsEnd(t *testing.T) {
	c := newConsoleLog()
	for range 10_000 {
		_, _ = io.WriteString(c, "a line that is written again and again\n")
	}
	_, _ = io.WriteString(c, strings.Repeat("x", 3*consoleLine)+"\n\x1b[2Jthe last line\n")
	if len(c.kept) > 2*consoleKept || len(c.line) > consoleLine {
		t.Errorf("%d bytes kept, a line of %d", len(c.kept), len(c.line))
	}
	if end := c.End(1); end != "[2Jthe last line" {
		t.Errorf("the end is %q", end)
	}
}

func catalogue(t testing.TB) []scenarios.Scenario {
	t.Helper()
	all, err := scenarios.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWantedModules(t *testing.T) {
	all := wantedModules(catalogue(t))
	for _, name := range strings.Fields("virtio_console tun veth sch_plug 8021q team team_mode_broadcast nft_queue wireguard ip_gre sch_netem crypto-gcm(aes)") {
		if !slices.Contains(all, name) {
			t.Errorf("the catalogue does not want %s", name)
		}
	}
	if all[0] != "virtio_pci" || slices.Contains(all, "built in") || slices.Contains(all, "") {
		t.Errorf("the modules are %q", all)
	}
	var tun []scenarios.Scenario
	for _, sc := range catalogue(t) {
		if sc.Name == "tun/unread" {
			tun = append(tun, sc)
		}
	}
	if few := wantedModules(tun); slices.Contains(few, "vxlan") || slices.Contains(few, "nf_tables") {
		t.Errorf("tun/unread wants %q", few)
	}
}

func TestInitramfs(t *testing.T) {
	dir := t.TempDir()
	module, self := filepath.Join(dir, "a-b.ko"), filepath.Join(dir, "self")
	for file, text := range map[string]string{module: "a module", self: "the binary"} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	fs := initramfs{
		self: self, modules: []kernels.Module{{Name: "a_b", File: module, Soft: true}},
		request: request{Mode: ModeHello}, extra: map[string]string{"/usr/sbin/x": self},
	}
	if err := fs.write(&out); err != nil {
		t.Fatal(err)
	}
	got := readArchive(t, &out)
	want := `{"mode":"hello","modules":[{"name":"a_b","file":"/skleak/modules/a_b.ko","soft":true}]}`
	for name, text := range map[string]string{
		"init": "the binary", "skleak/modules/a_b.ko": "a module", "skleak/request.json": want,
		"bin": "usr/bin", "lib64": "usr/lib64", "usr/bin/skleak": "/init", "usr/sbin/x": "the binary", "usr/sbin": "", "dev": "",
	} {
		if data, there := got[name]; !there || data != text {
			t.Errorf("%s is %q (there: %t), want %q", name, data, there, text)
		}
	}
}

// readArchive gives an archive's files, and its links' targets, by name.
func readArchive(t *testing.T, from io.Reader) map[string]string {
	t.Helper()
	got := map[string]string{}
	r := cpio.NewReader(from)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, again := got[h.Name]; again {
			t.Errorf("%s is in the archive twice", h.Name)
		}
		got[h.Name] = string(data) + h.Linkname
	}
	return got
}

func TestStatic(t *testing.T) {
	for file, want := range map[string]string{
		"/bin/sh":     "not a static binary",
		"/etc/passwd": "as the guest's init",
		"/nowhere":    "no such file",
	} {
		if err := checkStatic(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", file, err, want)
		}
	}
}

func TestParseAccel(t *testing.T) {
	if a, err := ParseAccel("kvm"); a != AccelKVM || err != nil {
		t.Error(a, err)
	}
	if _, err := ParseAccel("xen"); err == nil {
		t.Error("xen was taken")
	}
}

// Every scenario goes to one guest; what may hold, and cards where there are
// guests enough, go to some of them, which get fewer of the rest.
func TestDeal(t *testing.T) {
	var list []scenarios.Scenario
	for i := range 120 {
		sc := scenarios.Scenario{Name: fmt.Sprintf("%c/%d", 'a'+i%5, i)}
		switch i % 4 {
		case 0:
			plug := &scenarios.Qdisc{Options: &scenarios.PlugOptions{}}
			sc.Links = []scenarios.Link{{Common: scenarios.Common{Qdisc: plug}, Options: &scenarios.VethOptions{}}}
		case 1:
			sc.Links = []scenarios.Link{{Options: &scenarios.NicOptions{Model: fmt.Sprintf("model%d", i%7)}}}
		}
		list = append(list, sc)
	}
	for guests, bound := range map[int]float64{1: 1, 2: 1.1, 4: 1.5} {
		most, least := 0.0, math.Inf(1)
		for _, part := range deal(catalogue(t), guests) {
			sum := loadOf(part)
			most, least = max(most, sum), min(least, sum)
		}
		t.Logf("the catalogue in %d guests: loads of %g to %g", guests, least, most)
		if most > bound*least+waitAtEnd {
			t.Errorf("the catalogue in %d guests: loads of %g to %g", guests, least, most)
		}
	}
	for _, c := range []struct{ guests, want, holders, cards int }{
		{0, 1, 1, 1}, {1, 1, 1, 1}, {2, 2, 1, 2}, {3, 3, 1, 1}, {4, 4, 1, 2}, {6, 6, 2, 3}, {99, 10, 3, 5},
	} {
		parts := deal(list, c.guests)
		seen, holders, cards := map[string]bool{}, 0, 0
		most, least := 0.0, math.Inf(1)
		for _, part := range parts {
			sum := 0.0
			if slices.ContainsFunc(part, scenarios.Scenario.MayWait) {
				holders++
				sum = waitAtEnd
			}
			if slices.ContainsFunc(part, hasCard) {
				cards++
			}
			for _, sc := range part {
				seen[sc.Name] = true
			}
			sum += loadOf(part)
			most, least = max(most, sum), min(least, sum)
		}
		if len(parts) != c.want || len(seen) != len(list) || holders != c.holders || cards != c.cards {
			t.Errorf("%d guests: %d parts with %d scenarios, %d of them may hold, %d have cards", c.guests, len(parts), len(seen), holders, cards)
		}
		if c.want <= 4 && most > 2.5*least {
			t.Errorf("%d guests: the one with most has a load of %g, that with least %g", c.guests, most, least)
		}
	}
}
