package harness

import (
	"bufio"
	"bytes"
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

	"skleak/netns"
	"skleak/record"
	"skleak/scenarios"
)

// maxRequest bounds the line a child reads: a payload of 64 KiB in hex, and more.
const maxRequest = 4 << 20

// Child is the sandbox child: it reads one request from its lifeline, runs the
// experiment and sends events, and undoes everything when the lifeline ends.
// It is what
// `skleak sandbox-child` runs, with the number of the outer namespace as its
// argument, and returns the exit status.
func Child(args []string) int {
	// NB: the main goroutine keeps the main thread, so that threads thrown away
	// in other namespaces are never the one /proc/self speaks of (golang/go#53210).
	runtime.LockOSThread()
	if err := child(args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func child(args []string) error {
	out, err := parseOutside(args)
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
	keeper, err := startKeeper(events, out)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	r := bufio.NewReader(lifeline)
	req, err := readRequest(r)
	if err == nil {
		ctx, cancel := context.WithCancel(ctx)
		go func() {
			_, _ = io.Copy(io.Discard, r)
			cancel()
		}()
		err = serve(ctx, req, record.NewEncoder(events))
		cancel()
	}
	return errors.Join(err, keeper.end())
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
	_ = unix.Mount("sysfs", "/sys", "sysfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	return nil
}

func readRequest(r *bufio.Reader) (request, error) {
	var req request
	line, err := io.ReadAll(io.LimitReader(lineReader{r}, maxRequest))
	if err != nil {
		return req, fmt.Errorf("read the sandbox's request: %w", err)
	}
	if err := json.Unmarshal(line, &req); err != nil {
		return req, fmt.Errorf("read the sandbox's request: %w", err)
	}
	return req, nil
}

// lineReader ends with the line.
type lineReader struct{ r *bufio.Reader }

// Read implements io.Reader.
func (l lineReader) Read(p []byte) (int, error) {
	for i := range p {
		b, err := l.r.ReadByte()
		if err != nil {
			return i, err
		}
		if b == '\n' {
			return i, io.EOF
		}
		p[i] = b
	}
	return len(p), nil
}

// serve runs the scenario and sends its events.
func serve(ctx context.Context, req request, enc *record.Encoder) error {
	list, err := scenarios.Decode("request", bytes.NewReader([]byte(req.Scenario)))
	if err != nil {
		return fmt.Errorf("decode the sandbox's scenario: %w", err)
	}
	if len(list) != 1 {
		return fmt.Errorf("decode the sandbox's scenario: %d scenarios, one is wanted", len(list))
	}
	sc, began := list[0], time.Now()
	kernel := Kernel()
	emit := func(e record.Event) error {
		e.Scenario, e.AtNs = sc.Name, time.Since(began).Nanoseconds()
		return enc.Encode(e)
	}
	if err := emit(record.Event{Kind: record.EventHello, Kernel: &kernel}); err != nil {
		return err
	}
	if err := emit(record.Event{Kind: record.EventBegin}); err != nil {
		return err
	}
	trace, err := runExperiment(ctx, sc, req.Options, began, func(e record.Event) { _ = emit(e) })
	if err := emit(lastEvent(trace, err)); err != nil {
		return err
	}
	return emit(record.Event{Kind: record.EventBye})
}

// lastEvent is what a scenario ends with.
func lastEvent(trace record.Trace, err error) record.Event {
	var missing *netns.UnsupportedError
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
func startKeeper(events *os.File, out outside) (*keeper, error) {
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
	out, err := parseOutside(args)
	if err == nil {
		err = keep(out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func keep(out outside) error {
	_, lifeline, err := inherited()
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, lifeline)
	return out.clean(ownNamespace)
}
