// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"skleak/record"
)

// Survey looks at a namespace that is somebody's. It makes nothing there, and
// has no way to change anything.
type Survey struct{ world *World }

// OpenSurvey is of the calling thread's namespace: the Survey must be used by the
// goroutine that opened it, locked to its thread (In does both).
func OpenSurvey() (*Survey, error) {
	s, err := ownSpace()
	if err != nil {
		return nil, err
	}
	return &Survey{world: &World{spaces: []*space{s}}}, nil
}

// State is World.State of the namespace.
func (s *Survey) State(when string) (record.State, error) { return s.world.State(when) }

// There reports whether a link of that name and index is in the namespace.
func (s *Survey) There(name string, index int) (bool, error) {
	l, err := s.world.spaces[0].nl.LinkByIndex(index)
	var missing netlink.LinkNotFoundError
	switch {
	case errors.As(err, &missing) || errors.Is(err, unix.ENODEV):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("look for link %s: %w", name, err)
	}
	return l.Attrs().Name == name, nil
}

// Close closes the Survey's descriptors. The namespace and all in it stay.
func (s *Survey) Close() error { return s.world.spaces[0].close() }

// namedDir is where ip-netns(8) keeps the namespaces it names.
const namedDir = "/run/netns"

// Find is the path of the network namespace that a user means by a name of
// ip-netns(8), the number of a process in it, or a path. It does not open it.
func Find(which string) (path string, err error) {
	pid, notNumber := strconv.ParseUint(which, 10, 31)
	switch {
	case which == "":
		return "", errors.New("a network namespace without a name; give a name of `ip netns`, a path or the number of a process")
	case notNumber == nil:
		path = fmt.Sprintf("/proc/%d/ns/net", pid)
		err = processNamespace(which, path)
	case strings.Contains(which, "/"):
		path = which
		if _, err = os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("no network namespace at %s; give a path like /proc/PID/ns/net", which)
		}
	default:
		path = filepath.Join(namedDir, which)
		if _, err = os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("no network namespace %s in %s; `ip netns list` has those with a name, and a container's goes by the number of one of its processes", which, namedDir)
		}
	}
	if errors.Is(err, fs.ErrPermission) {
		err = fmt.Errorf("look at network namespace %s: %w; run it as root", which, err)
	}
	return path, err
}

func processNamespace(which, path string) error {
	_, err := os.Readlink(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no process %s; its network namespace cannot be entered", which)
	}
	return err
}

// In runs f on a thread of its own in the network namespace at path, "" for that
// of the caller. The thread is thrown away afterwards. Goroutines that f starts
// run outside the namespace.
func In(path string, f func() error) error {
	if path == "" {
		return onThread(f)
	}
	h, err := netns.GetFromPath(path)
	if err != nil {
		return fmt.Errorf("open network namespace %s: %w", path, err)
	}
	err = onThread(func() error {
		switch err := netns.Set(h); {
		case errors.Is(err, unix.EPERM):
			return fmt.Errorf("enter network namespace %s: %w; run it as root", path, err)
		case errors.Is(err, unix.EINVAL):
			return fmt.Errorf("enter %s: it is no network namespace", path)
		case err != nil:
			return fmt.Errorf("enter network namespace %s: %w", path, err)
		}
		return f()
	})
	return errors.Join(err, h.Close())
}
