package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// UnavailableError says why there can be no ledger here, and what would help.
type UnavailableError struct {
	Missing string
	Hint    string
	Err     error
}

// Error implements error.
func (e *UnavailableError) Error() string {
	text := e.Missing
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text + "; " + e.Hint
}

// Unwrap gives what the kernel said.
func (e *UnavailableError) Unwrap() error { return e.Err }

// wanted is a tracepoint the ledger reads.
type wanted struct {
	group, name string
	kind        Kind
	// needed: without it there is no ledger.
	needed bool
}

func tracepoints() []wanted {
	return []wanted{
		{"net", "net_dev_queue", Queue, true},
		{"net", "net_dev_start_xmit", Start, true},
		{"net", "net_dev_xmit", Xmit, true},
		{"skb", "kfree_skb", Drop, true},
		{"skb", "consume_skb", Consume, true},
		// Since 5.15 and 4.16.
		{"qdisc", "qdisc_enqueue", Enqueue, false},
		{"qdisc", "qdisc_dequeue", Dequeue, false},
		// Since 5.1.
		{"neigh", "neigh_event_send_done", Neighbour, false},
	}
}

// tracefsAt are where tracefs may be mounted. A sandbox has a sysfs of its own,
// which hides what the host mounted there.
func tracefsAt() []string { return []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} }

// readFormats reads the formats of all tracepoints there are. It mounts tracefs
// for the time of reading where it is not mounted; that must be in a mount
// namespace of the caller's own.
func readFormats() (formats map[Kind]Format, err error) {
	root, unmount, err := findTracefs()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, unmount()) }()
	formats = map[Kind]Format{}
	for _, w := range tracepoints() {
		text, err := os.ReadFile(filepath.Join(root, "events", w.group, w.name, "format"))
		if err != nil {
			if !w.needed {
				continue
			}
			return nil, &UnavailableError{
				Missing: fmt.Sprintf("this kernel has no tracepoint %s:%s", w.group, w.name),
				Hint:    "use one with CONFIG_TRACEPOINTS and CONFIG_EVENT_TRACING (CONFIG_FTRACE=y)", Err: err,
			}
		}
		f, err := ParseFormat(string(text))
		if err != nil {
			return nil, err
		}
		formats[w.kind] = f
	}
	return formats, nil
}

func findTracefs() (root string, unmount func() error, err error) {
	for _, root := range tracefsAt() {
		if _, err := os.Stat(filepath.Join(root, "events")); err == nil {
			return root, func() error { return nil }, nil
		}
	}
	at := tracefsAt()[0]
	err = unix.Mount("tracefs", at, "tracefs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	if err != nil {
		return "", nil, explainMount(at, err)
	}
	return at, func() error {
		if err := unix.Unmount(at, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount tracefs at %s: %w", at, err)
		}
		return nil
	}, nil
}

func explainMount(at string, err error) error {
	e := &UnavailableError{Missing: "mount tracefs at " + at, Err: err, Hint: "run it with sudo"}
	if errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENOENT) {
		e.Hint = "this kernel has no tracefs: use one with CONFIG_FTRACE and CONFIG_EVENT_TRACING"
	}
	return e
}
