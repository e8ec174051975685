// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"skleak/harness/experiment"
	"skleak/netns"
	"skleak/record"
)

// maxRequest bounds the line a child reads: a payload of 64 KiB in base64, and more.
const maxRequest = 4 << 20

// Child is the sandbox child: it reads a request from its lifeline, runs the
// experiment and sends events, and undoes everything when the lifeline ends.
// It is what `skleak sandbox-child` runs, with the number of the outer
// namespace as its argument, and returns the exit status.
func Child(args []string) int {
	// NB: the main goroutine keeps the main thread, so that threads thrown away
	// in other namespaces are never the one /proc/self speaks of (golang/go#53210).
	runtime.LockOSThread()
	done := make(chan error)
	// NB: what a locked goroutine does costs two thread switches each time it waits.
	go func() { done <- child(args) }()
	if err := <-done; err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func child(args []string) error {
	out, lasts, err := parseChildArgs(args)
	if err != nil {
		return err
	}
	if err := out.mustDiffer(ownNamespace); err != nil {
		return err
	}
	events, lifeline, err := inherited()
	if err != nil {
		return err
	}
	if err := prepareMounts(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	ctx, requests := readRequests(ctx, lifeline)
	srv := server{enc: record.NewEncoder(events), calibrated: experiment.Calibrations{}, lasts: lasts}
	if lasts {
		return srv.serveAll(ctx, requests)
	}
	keeper, err := startKeeper(events, out)
	if err != nil {
		return err
	}
	req, came := <-requests
	if err = req.err; err == nil && came {
		err = srv.serve(ctx, req.request)
	}
	if err == nil {
		err = srv.enc.Encode(record.Event{Kind: record.EventBye})
	}
	return errors.Join(err, keeper.end())
}

// serveAll serves until the lifeline ends, each scenario in a namespace that
// nothing was in before.
func (s server) serveAll(ctx context.Context, requests <-chan incoming) error {
	for req := range requests {
		if req.err != nil {
			return req.err
		}
		if err := s.serve(ctx, req.request); err != nil {
			return err
		}
		if err := netns.EnterNew(); err != nil {
			return err
		}
		// NB: the /sys of the namespace before would keep that alive.
		_ = unix.Unmount("/sys", unix.MNT_DETACH)
		if err := mountSysfs(); err != nil {
			return err
		}
		if err := s.enc.Encode(record.Event{Kind: record.EventBye}); err != nil {
			return err
		}
	}
	return nil
}

// incoming is a request, or why there is none.
type incoming struct {
	request experiment.Request
	err     error
}

// readRequests reads requests from the lifeline. The context it returns ends with it.
func readRequests(ctx context.Context, lifeline io.Reader) (context.Context, <-chan incoming) {
	ctx, cancel := context.WithCancel(ctx)
	requests := make(chan incoming, 1)
	go func() {
		defer cancel()
		defer close(requests)
		lines := bufio.NewScanner(lifeline)
		lines.Buffer(nil, maxRequest)
		for lines.Scan() {
			req, err := decodeRequest(lines.Bytes())
			requests <- incoming{req, err}
		}
		if err := lines.Err(); err != nil {
			requests <- incoming{err: fmt.Errorf("read the sandbox's request: %w", err)}
		}
	}()
	return ctx, requests
}

func decodeRequest(line []byte) (experiment.Request, error) {
	var req experiment.Request
	if err := json.Unmarshal(line, &req); err != nil {
		return req, fmt.Errorf("read the sandbox's request: %w", err)
	}
	return req, nil
}

// inherited takes over the descriptors the parent left open.
func inherited() (events, lifeline *os.File, err error) {
	for _, fd := range []int{eventsFD, lifelineFD} {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, unix.FD_CLOEXEC); err != nil {
			return nil, nil, fmt.Errorf("%s is started by skleak itself, not by hand: descriptor %d: %w", SandboxCommand, fd, err)
		}
	}
	return os.NewFile(eventsFD, "events"), os.NewFile(lifelineFD, "lifeline"), nil
}

// prepareMounts gives the sandbox a /sys that shows its own links.
func prepareMounts() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make the sandbox's mounts private: %w", err)
	}
	Registry{dir: RegistryDir}.hide()
	// Refused in some containers; only a scenario that reads /sys/class/net
	// minds, and says so itself.
	_ = mountSysfs()
	return nil
}

func mountSysfs() error {
	if err := unix.Mount("sysfs", "/sys", "sysfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mount the sandbox's own /sys: %w", err)
	}
	return nil
}

// server is what a child has for every scenario it serves.
type server struct {
	enc        *record.Encoder
	calibrated experiment.Calibrations
	// lasts: it serves one scenario after another in a guest, where waking the
	// parent costs most.
	lasts bool
}

// serve runs the scenario and sends its events.
func (s server) serve(ctx context.Context, req experiment.Request) error {
	name, began := req.Scenario.Name, time.Now()
	kernel := Kernel()
	emit := func(e record.Event) error {
		e.Scenario, e.AtNs = name, time.Since(began).Nanoseconds()
		if s.lasts && (e.CanWait() || e.Kind == record.EventHello || e.Ends()) {
			// The first two come with what follows at once, the end with bye.
			return s.enc.EncodeLater(e)
		}
		return s.enc.Encode(e)
	}
	if err := emit(record.Event{Kind: record.EventHello, Kernel: &kernel}); err != nil {
		return err
	}
	if err := emit(record.Event{Kind: record.EventBegin}); err != nil {
		return err
	}
	trace, err := experiment.New(experiment.Setup{
		Request: req, Kernel: kernel, Known: s.calibrated, Began: began,
		Emit: func(e record.Event) { _ = emit(e) },
	}).Run(ctx)
	return emit(lastEvent(trace, err))
}

// lastEvent is what a scenario ends with.
func lastEvent(trace record.Trace, err error) record.Event {
	var missing *record.UnsupportedError
	switch {
	case err == nil:
		return record.Event{Kind: record.EventTrace, Trace: &trace}
	case errors.As(err, &missing):
		return record.Event{Kind: record.EventSkip, Text: missing.Error(), Hint: missing.Hint}
	default:
		return record.Event{Kind: record.EventTrouble, Text: err.Error()}
	}
}

// keeper is the process that outlives the child if the child is killed.
type keeper struct {
	cmd  *exec.Cmd
	pipe *os.File
}

// startKeeper starts the keeper. It holds the event pipe too, so that the
// parent sees the end only when the keeper has done its work.
func startKeeper(events *os.File, out netnsID) (*keeper, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make the keeper's pipe: %w", err)
	}
	k := &keeper{cmd: exec.Command(DefaultSelf, KeeperCommand, out.String()), pipe: w}
	k.cmd.ExtraFiles = []*os.File{events, r}
	k.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = errors.Join(k.cmd.Start(), r.Close())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the sandbox's keeper: %w", err), w.Close())
	}
	return k, nil
}

// end lets the keeper look once more and go.
func (k *keeper) end() error {
	err := k.pipe.Close()
	timer := time.AfterFunc(tearDownTime, func() { _ = k.cmd.Process.Kill() })
	defer timer.Stop()
	if werr := k.cmd.Wait(); werr != nil {
		err = errors.Join(err, fmt.Errorf("the sandbox's keeper: %w", werr))
	}
	return err
}

// Keeper is what `skleak sandbox-keeper` runs: it waits until the child is no
// more and deletes every link the child left in their namespace. It returns
// the exit status.
func Keeper(args []string) int {
	runtime.LockOSThread()
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	out, err := parseNetnsID(args)
	if err == nil {
		err = keep(out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func keep(out netnsID) error {
	_, lifeline, err := inherited()
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, lifeline)
	return out.clean(ownNamespace)
}
