// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"fmt"
	"os/exec"
	"strings"
)

// Program is the QEMU that is looked for in PATH.
const Program = "qemu-system-x86_64"

// part is one feature of a machine: what it adds to QEMU's command line and
// to the kernel's.
type part interface {
	Cmdline() []string
	KArgs() []string
}

// board is the machine itself.
//
// NB: q35, never microvm, which hung in 6 of 36 boots under TCG.
type board struct {
	accel  Accel
	memory int
	// tsc is hostTSC where the guest must be told, else 0.
	tsc uint64
}

func (v VM) board() board {
	b := board{accel: v.Accel, memory: v.memory()}
	if v.Accel == AccelTCG {
		b.tsc = hostTSC()
	}
	return b
}

func (b board) Cmdline() []string {
	args := []string{
		"-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-accel", b.accel.option(), "-machine", "q35", "-m", fmt.Sprint(b.memory),
	}
	if b.accel == AccelTCG {
		// NB: without a source of random numbers a guest's first request for them, a
		// key for MACsec or WireGuard, takes a second (drivers/char/random.c,
		// try_to_generate_entropy).
		args = append(args, "-cpu", "qemu64,+rdrand")
	}
	return args
}

// KArgs turns off what only costs time in a guest. A panic ends the guest, and
// an oops is a panic: a kernel that limps on blames the wrong scenario.
//
// Without KVM what the kernel does once at its start is a sixth of a guest's
// work, so it is spared what has nothing to do with networks: patching itself for
// one processor (noreplace-smp), walking its page tables in search of pages both
// writable and executable (rodata=off), tests and keys of its crypto library
// (initcalls of those names; a kernel that has none of them skips none). Timers
// keep to the tick: setting one costs more than most of what is done when it fires.
// Grace periods are hurried, since a scenario waits for dozens of them.
func (b board) KArgs() []string {
	args := []string{
		"panic=-1", "oops=panic", "quiet", "cryptomgr.notests", "no_timer_check",
		"tsc=reliable", "mitigations=off", "random.trust_cpu=on", "init_on_alloc=0", "lsm=capability",
	}
	if b.accel == AccelTCG {
		args = append(args, "highres=off", "noreplace-smp", "rodata=off", "rcupdate.rcu_expedited=1",
			"initcall_blacklist=jent_mod_init,crypto_kdf108_init,load_system_certificate_list")
	}
	if b.tsc > 0 {
		args = append(args, fmt.Sprintf("tsc_early_khz=%d", b.tsc))
	}
	return args
}

// image is the kernel and its initramfs.
type image struct{ vmlinux, initrd string }

func (i image) Cmdline() []string { return []string{"-kernel", i.vmlinux, "-initrd", i.initrd} }
func (image) KArgs() []string     { return nil }

// console is ttyS0 on QEMU's standard output, or on a person's terminal.
type console struct{ interactive bool }

func (c console) Cmdline() []string {
	if c.interactive {
		return []string{"-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"}
	}
	return []string{"-serial", "stdio"}
}

func (console) KArgs() []string { return []string{"console=ttyS0"} }

// serialEvents is ttyS1 on a file descriptor: for a kernel without virtio.
type serialEvents struct{ fd int }

func (s serialEvents) Cmdline() []string {
	return []string{"-chardev", fmt.Sprintf("socket,id=serial,fd=%d", s.fd), "-serial", "chardev:serial"}
}

func (serialEvents) KArgs() []string { return nil }

// eventsPort is the name of the virtio port that events leave by.
const eventsPort = "skleak.events"

// virtioEvents is a virtio port on a file descriptor.
type virtioEvents struct{ fd int }

func (v virtioEvents) Cmdline() []string {
	return []string{
		"-device", "virtio-serial-pci", "-chardev", fmt.Sprintf("socket,id=events,fd=%d", v.fd),
		"-device", "virtserialport,chardev=events,name=" + eventsPort,
	}
}

func (virtioEvents) KArgs() []string { return nil }

// commandLine joins the parts; the kernel's own line comes last.
func commandLine(parts ...part) []string {
	var args, kernel []string
	for _, p := range parts {
		args = append(args, p.Cmdline()...)
		kernel = append(kernel, p.KArgs()...)
	}
	return append(args, "-append", strings.Join(kernel, " "))
}

// findQEMU finds QEMU, or says how to get it.
func findQEMU() (string, error) {
	file, err := exec.LookPath(Program)
	if err != nil {
		return "", fmt.Errorf("find QEMU: %w; on Debian: apt install qemu-system-x86", err)
	}
	return file, nil
}
