// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"al.essio.dev/pkg/shellescape"

	"golang.org/x/sys/unix"

	"skleak/internal/capture"
	"skleak/record"
)

// guest is one boot: a QEMU and what comes out of it.
type guest struct {
	vm      VM
	args    []string
	log     *consoleLog
	stderr  *capture.Head
	qemu    *process
	events  chan incoming
	closing closers
	cards   *cards
	// open counts the channels that have not ended.
	open int
	// quit tells the readers that nobody listens any more.
	quit chan struct{}
}

// incoming is an event, or how a channel ended.
type incoming struct {
	event record.Event
	err   error
}

// The descriptors QEMU finds: exec.Cmd.ExtraFiles begin at 3.
const (
	virtioFD = 3
	serialFD = 4
	initrdFD = 5
)

// boot starts a guest. The initramfs is handed over as a memory file, so that
// nothing is left on disk however this process ends.
func (v VM) boot(req request) (*guest, error) {
	g := &guest{vm: v, log: newConsoleLog(), stderr: &capture.Head{Limit: maxStderr}, events: make(chan incoming), quit: make(chan struct{})}
	if err := g.start(req); err != nil {
		return nil, &InfraError{Kernel: string(v.Kernel.Name), Err: errors.Join(err, g.closing.Close())}
	}
	return g, nil
}

// start starts QEMU and listens to it.
func (g *guest) start(req request) (err error) {
	v := g.vm
	program, err := findQEMU()
	if err != nil {
		return err
	}
	ours, theirs, err := g.channels()
	defer func() { err = errors.Join(err, theirs.Close()) }()
	if err != nil {
		return err
	}
	initrd, path, err := g.initrd(req)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, initrd.Close()) }()
	if g.cards, err = newCards(program, v.all); err != nil {
		return err
	}
	g.closing = append(g.closing, g.cards)
	defer func() { err = errors.Join(err, g.cards.started()) }()
	g.args = append([]string{program}, commandLine(append([]part{
		v.board(),
		image{vmlinux: v.Kernel.Vmlinux, initrd: path},
		console{},
		serialEvents{fd: serialFD},
		virtioEvents{fd: virtioFD},
	}, g.cards.parts()...)...)...)
	if err := g.keepConsole(); err != nil {
		return err
	}
	cmd := exec.Command(g.args[0], g.args[1:]...)
	cmd.Stdout, cmd.Stderr = g.log, g.stderr
	cmd.ExtraFiles = append([]*os.File{theirs[0], theirs[1], initrd}, g.cards.files()...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if g.qemu, err = startProcess(cmd); err != nil {
		return err
	}
	for _, from := range ours {
		g.open++
		go g.listen(from)
	}
	return nil
}

// channels makes both ways out of the guest; it uses one of them.
func (g *guest) channels() (ours, theirs ends, err error) {
	for range 2 {
		our, their, err := socketPair()
		if err != nil {
			return ours, theirs, err
		}
		g.closing = append(g.closing, our)
		ours, theirs = append(ours, our), append(theirs, their)
	}
	return ours, theirs, nil
}

// initrd writes the initramfs to memory, or to Keep.
func (g *guest) initrd(req request) (f *os.File, path string, err error) {
	if g.vm.Keep != "" {
		path = filepath.Join(g.vm.Keep, "initramfs.cpio")
		f, err = os.Create(path)
	} else {
		path = fmt.Sprintf("/proc/self/fd/%d", initrdFD)
		var fd int
		if fd, err = unix.MemfdCreate("initramfs", unix.MFD_CLOEXEC); err == nil {
			f = os.NewFile(uintptr(fd), "initramfs")
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("make the initramfs: %w", err)
	}
	if err := g.vm.initramfs(req, f); err != nil {
		return nil, "", errors.Join(err, f.Close())
	}
	return f, path, nil
}

// keepConsole has the whole console written to Keep.
func (g *guest) keepConsole() error {
	if g.vm.Keep == "" {
		return nil
	}
	f, err := os.Create(filepath.Join(g.vm.Keep, "console.log"))
	if err != nil {
		return fmt.Errorf("keep the console: %w", err)
	}
	g.log.all = f
	g.closing = append(g.closing, f)
	text := shellescape.QuoteCommand(g.args) + "\n"
	if err := os.WriteFile(filepath.Join(g.vm.Keep, "qemu"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("keep the QEMU command: %w", err)
	}
	return nil
}

// listen decodes one channel until it ends.
func (g *guest) listen(from io.Reader) {
	dec := record.NewDecoder(from)
	for {
		e, err := dec.Next()
		select {
		case g.events <- incoming{e, err}:
		case <-g.quit:
			return
		}
		if err != nil {
			return
		}
	}
}

// close ends the guest and frees all it held.
func (g *guest) close() error {
	g.qemu.stop()
	close(g.quit)
	return g.closing.Close()
}

// over says that a channel has ended, as it does with QEMU.
func over(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) }

// timer is a deadline that moves.
type timer struct {
	*time.Timer
	what string
	span time.Duration
}

func newTimer(what string, span time.Duration) timer { return timer{time.NewTimer(span), what, span} }

// settleTime is how long a guest that panicked may take to go, and a channel
// to be emptied.
const settleTime = 3 * time.Second

// errStopped says that whoever listened wants no more.
var errStopped = errors.New("stopped by the listener")

// follow hands on the events until the guest said bye. Its error is a
// *BootError, an *InfraError, errStopped or that of ctx.
func (g *guest) follow(ctx context.Context, yield func(record.Event) bool) error {
	quiet := newTimer("boot", g.vm.Deadlines.Boot)
	defer quiet.Stop()
	total := newTimer("be done", g.vm.Deadlines.Total)
	defer total.Stop()
	for {
		select {
		case in := <-g.events:
			switch {
			case over(in.err):
				if g.open--; g.open == 0 {
					return g.died(yield)
				}
				continue
			case in.err != nil:
				return g.infra(fmt.Errorf("listen to the guest: %w", in.err))
			case in.event.Kind == record.EventBye:
				g.awaitEnd()
				return nil
			case in.event.Kind == record.EventTrouble && in.event.Scenario == "":
				return g.infra(errors.New(in.event.Text))
			}
			quiet.what = "show a sign of life"
			quiet.Reset(g.vm.Deadlines.Quiet)
			if !heartbeat(in.event) && !yield(in.event) {
				return errStopped
			}
		case <-g.log.fatal:
			return g.died(yield)
		case <-quiet.C:
			return g.late(quiet.what, g.vm.Deadlines)
		case <-total.C:
			return g.infra(fmt.Errorf("the guest was not done after %s", total.span))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// offTime is how long a guest that said bye may take to power off. What it says
// on its console until then is heard: a kernel may crash over its last task.
const offTime = time.Second

func (g *guest) awaitEnd() {
	off := time.NewTimer(offTime)
	defer off.Stop()
	select {
	case <-g.qemu.done:
	case <-off.C:
	}
}

// late says which deadline was missed. A guest that hangs before its /init is
// the kernel's fault only if the console says so.
func (g *guest) late(what string, d Deadlines) error {
	span := d.Quiet
	if what == "boot" {
		span = d.Boot
	}
	text := fmt.Sprintf("the guest did not %s within %s", what, span)
	if why, found := blame(g.log.Alarms()); found {
		return g.fault(text + "; " + why)
	}
	return g.infra(errors.New(text))
}

// died hands on what the guest still had said, then tells how it ended.
func (g *guest) died(yield func(record.Event) bool) error {
	late, stop := context.WithTimeout(context.Background(), settleTime)
	defer stop()
	for g.open > 0 && late.Err() == nil {
		select {
		case in := <-g.events:
			switch {
			case in.err != nil:
				g.open--
			case in.event.Kind == record.EventBye:
				return nil
			case !heartbeat(in.event) && !yield(in.event):
				return errStopped
			}
		case <-late.Done():
		}
	}
	select {
	case <-g.qemu.done:
	case <-late.Done():
	}
	if why, found := blame(g.log.Alarms()); found {
		return g.fault(why)
	}
	select {
	case <-g.qemu.done:
		return g.infra(fmt.Errorf("QEMU ended before the guest was done: %s", g.howEnded()))
	default:
		return g.infra(errors.New("the guest's channel was closed while QEMU ran on"))
	}
}

func (g *guest) howEnded() string {
	how := "exit status 0"
	if g.qemu.err != nil {
		how = g.qemu.err.Error()
	}
	if text := strings.TrimSpace(printable(g.stderr.String())); text != "" {
		how += ": " + text
	}
	for _, a := range g.log.Alarms() {
		if a.Kind == AlarmInit {
			how += "; " + a.Text
		}
	}
	return how
}

// evidenceLines is how much of the console goes with trouble.
const evidenceLines = 40

func (g *guest) evidence() Evidence {
	return Evidence{Console: g.log.End(evidenceLines), Command: shellescape.QuoteCommand(g.args), Replay: g.vm.Replay}
}

func (g *guest) fault(what string) error {
	return &BootError{Kernel: string(g.vm.Kernel.Name), What: what, Evidence: g.evidence()}
}

func (g *guest) infra(err error) error {
	return &InfraError{Kernel: string(g.vm.Kernel.Name), Err: err, Evidence: g.evidence()}
}
