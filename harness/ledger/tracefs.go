// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"skleak/record"
)

// wanted is a tracepoint the ledger follows.
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
		{"net", "netif_receive_skb", Receive, false},
	}
}

// readFormats reads the formats of all tracepoints there are, and of the one
// that is only counted. Tracefs need not
// be mounted, and a sandbox's own sysfs hides where it is: a mount of our own,
// attached nowhere, is made for the time of reading.
func readFormats() (formats map[Kind]Format, err error) {
	root, err := openTracefs()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	formats = map[Kind]Format{}
	for _, w := range append(tracepoints(), wanted{"sched", "sched_switch", Switch, false}) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/self/fd/%d/events/%s/%s/format", root.Fd(), w.group, w.name))
		if err != nil {
			if !w.needed {
				continue
			}
			return nil, &record.UnsupportedError{
				Feature: fmt.Sprintf("tracepoint %s:%s", w.group, w.name),
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

// openTracefs makes the mount, which goes with its descriptor (fsmount(2), 5.2).
func openTracefs() (*os.File, error) {
	fs, err := unix.Fsopen("tracefs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, explainTracefs(err)
	}
	defer func() { _ = unix.Close(fs) }()
	if err := unix.FsconfigCreate(fs); err != nil {
		return nil, explainTracefs(err)
	}
	mount, err := unix.Fsmount(fs, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return nil, explainTracefs(err)
	}
	return os.NewFile(uintptr(mount), "tracefs"), nil
}

func explainTracefs(err error) error {
	e := &record.UnsupportedError{Feature: "tracefs", Err: fmt.Errorf("mount tracefs: %w", err), Hint: "run it with sudo"}
	switch {
	case errors.Is(err, unix.ENODEV):
		e.Hint = "use a kernel with CONFIG_FTRACE and CONFIG_EVENT_TRACING"
	case errors.Is(err, unix.ENOSYS):
		e.Hint = "use a kernel from 5.2 on"
	}
	return e
}
