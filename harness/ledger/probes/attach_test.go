// SPDX-License-Identifier: GPL-2.0-only

package probes

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/record/kerneltest"
)

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// Where the kernel does not let us, the reader is told in one line what would
// help, and nothing stays open.
func TestAttachOrSayWhy(t *testing.T) {
	a, err := Attach()
	if err == nil {
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
		return
	}
	var missing *record.UnsupportedError
	if !errors.As(err, &missing) || missing.Hint == "" || strings.Contains(err.Error(), "\n") {
		t.Errorf("the reader is told %q", err)
	}
	before := openFiles(t)
	if _, err := Attach(); err == nil {
		t.Fatal("attached at the second try")
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func TestOpenNothing(t *testing.T) {
	before := openFiles(t)
	var missing *record.UnsupportedError
	if f, err := Open(IDs{}); !errors.As(err, &missing) {
		t.Errorf("opened %+v, %v", f, err)
	}
	if after := openFiles(t); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func TestExplain(t *testing.T) {
	refused := &ebpf.VerifierError{Cause: unix.EACCES, Log: []string{"0: R1=ctx()", "invalid mem access"}}
	tests := []struct {
		err         error
		want, wants string
	}{
		{unix.EPERM, "BPF tracing is not available here: attach: operation not permitted; ", "sudo"},
		{ebpf.ErrNotSupported, "BPF tracing is not available here: attach: not supported; ", "CONFIG_DEBUG_INFO_BTF"},
		{refused, "BPF tracing is not available here: attach: permission denied; ", "CONFIG_BPF_JIT"},
	}
	for _, tt := range tests {
		got := record.WithHint(explain("attach", tt.err))
		if !strings.HasPrefix(got, tt.want) || !strings.Contains(got, tt.wants) || strings.Contains(got, "\n") {
			t.Errorf("%v: %q", tt.err, got)
		}
	}
}

// cannotAttach skips for who may not, where the machine refuses any program of
// this kind, and on a kernel without fentry and BTF.
func cannotAttach(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, unix.EPERM) && tracingRefused() {
		t.Skipf("this user, or everybody on this machine, may load no tracing program at all: %v", err)
	}
	kerneltest.SkipOrFail(t, kerneltest.Feature{
		Since: "5.10", Options: []string{"BPF_SYSCALL", "BPF_JIT", "DEBUG_INFO_BTF", "FUNCTION_TRACER", "DYNAMIC_FTRACE_WITH_DIRECT_CALLS"},
	}, err)
}

// tracingRefused tries the smallest tracing program there is.
func tracingRefused() bool {
	p, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Type: ebpf.Tracing, AttachType: ebpf.AttachTraceFEntry, AttachTo: "consume_skb",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()}, License: "GPL",
	})
	if err == nil {
		_ = p.Close()
	}
	return errors.Is(err, unix.EPERM)
}

// What a socket sends comes in order and only to its own feed.
func TestFeed(t *testing.T) {
	a, err := Attach()
	if err != nil {
		cannotAttach(t, err)
	}
	defer a.Close()
	f, err := Open(a.IDs())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	mine, others := datagrams(t), datagrams(t)
	cookie, err := unix.GetsockoptUint64(mine[0], unix.SOL_SOCKET, unix.SO_COOKIE)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Own(cookie); err != nil {
		t.Fatal(err)
	}
	var skbs []uint64
	for range 3 {
		for _, pair := range [][2]int{others, mine} {
			if _, err := unix.Write(pair[0], []byte("one")); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := map[Kind]int{}
	take := func(e Event) {
		got[e.Kind]++
		if e.Kind == Charge {
			skbs = append(skbs, e.Skb)
		}
	}
	if err := f.Drain(take); err != nil || len(skbs) != 3 || got[Uncharge] != 0 {
		t.Fatalf("%v, %v; want 3 charges", got, err)
	}
	// One is read and freed: its charge is given back, and there is no reading of it.
	if _, err := unix.Read(mine[1], make([]byte, 8)); err != nil {
		t.Fatal(err)
	}
	for _, skb := range skbs {
		if err := f.Ask(skb); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Drain(take); err != nil || got[Uncharge] != 1 || got[Reading] < 2 {
		t.Errorf("%v, %v; want one given back, two still charged", got, err)
	}
	if lost, err := f.Lost(); lost != 0 || err != nil {
		t.Errorf("lost %d, %v", lost, err)
	}
}

// datagrams are two sockets joined without any network.
func datagrams(t *testing.T) [2]int {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = unix.Close(pair[0]), unix.Close(pair[1]) })
	return pair
}

// attachOnly is set in a copy of TestNothingStays that attaches and waits to be
// killed.
const attachOnly = "SKLEAK_TEST_ATTACH_ONLY"

// Killed without warning, a holder leaves no program in the kernel.
func TestNothingStays(t *testing.T) {
	if os.Getenv(attachOnly) != "" {
		a, err := Attach()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("attached", a.IDs().Reading)
		time.Sleep(time.Minute)
		t.Fatal("nobody killed it")
	}
	if a, err := Attach(); err != nil {
		cannotAttach(t, err)
	} else if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestNothingStays$", "-test.v")
	cmd.Env = append(os.Environ(), attachOnly+"=yes")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var id ebpf.ProgramID
	for lines := bufio.NewScanner(out); id == 0 && lines.Scan(); {
		_, _ = fmt.Sscanf(lines.Text(), "attached %d", &id)
	}
	p, err := ebpf.NewProgramFromID(id)
	if err != nil {
		t.Fatalf("program %d, while its holder lives: %v", id, err)
	}
	if err := errors.Join(p.Close(), cmd.Process.Kill()); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for range 1000 {
		p, err := ebpf.NewProgramFromID(id)
		if errors.Is(err, os.ErrNotExist) {
			return
		}
		if err == nil {
			err = p.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("program %d is still there", id)
}
