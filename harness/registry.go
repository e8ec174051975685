package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// Registry keeps a handle to each sandbox's network namespace in a folder, as
// a bind mount, so that a later run can free what a killed one left pinned.
// Its zero value, an ordinary user's, keeps none: a user cannot mount there.
type Registry struct {
	dir string
}

// RegistryDir is the folder of root's registry.
const RegistryDir = "/run/skleak"

// NewRegistry is root's registry, or an empty one for any other user.
func NewRegistry(euid int) Registry {
	if euid != 0 {
		return Registry{}
	}
	return Registry{dir: RegistryDir}
}

// entry is one sandbox in the registry.
type entry struct{ path string }

// add enters the namespace of the child pid under the name of this process.
func (r Registry) add(pid int) (*entry, error) {
	if r.dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the registry of sandboxes: %w", err)
	}
	self, err := procfs.Self()
	if err != nil {
		return nil, fmt.Errorf("read /proc/self for the registry: %w", err)
	}
	stat, err := self.Stat()
	if err != nil {
		return nil, fmt.Errorf("read /proc/self/stat for the registry: %w", err)
	}
	path := filepath.Join(r.dir, fmt.Sprintf("%d-%d-%d", self.PID, stat.Starttime, pid))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("enter a sandbox in the registry: %w", err)
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	if err := unix.Mount(fmt.Sprintf("/proc/%d/ns/net", pid), path, "", unix.MS_BIND, ""); err != nil {
		return nil, errors.Join(fmt.Errorf("bind the sandbox's namespace to %s: %w", path, err), os.Remove(path))
	}
	return &entry{path: path}, nil
}

// release frees what is left in the namespace and strikes it off.
func (e *entry) release() error {
	var fsys unix.Statfs_t
	err := unix.Statfs(e.path, &fsys)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	// A run killed before it could bind the namespace leaves a plain file.
	if err == nil && fsys.Type == unix.NSFS_MAGIC {
		var out outside
		if out, err = currentNamespace(); err == nil {
			err = out.clean(e.path)
		}
	}
	// NB: MNT_DETACH, since a child just starting may have a copy of the mount.
	if uerr := unix.Unmount(e.path, unix.MNT_DETACH); uerr != nil && !errors.Is(uerr, unix.EINVAL) && !errors.Is(uerr, unix.ENOENT) {
		err = errors.Join(err, fmt.Errorf("unmount %s: %w", e.path, uerr))
	}
	if rerr := os.Remove(e.path); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	return err
}

// Leftover is a sandbox whose run is no more.
type Leftover struct {
	// Path is the handle to its network namespace.
	Path string `json:"path"`
	// Owner is the pid of the run that made it.
	Owner int `json:"owner"`
}

// Leftovers lists the sandboxes of runs that are gone.
func (r Registry) Leftovers() ([]Leftover, error) {
	if r.dir == "" {
		return []Leftover{}, nil
	}
	files, err := os.ReadDir(r.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return []Leftover{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the registry of sandboxes: %w", err)
	}
	left := []Leftover{}
	for _, f := range files {
		owner, start, ok := parseEntry(f.Name())
		if !ok || alive(owner, start) {
			continue
		}
		left = append(left, Leftover{Path: filepath.Join(r.dir, f.Name()), Owner: owner})
	}
	return left, nil
}

// Sweep frees every leftover and returns how many there were.
func (r Registry) Sweep() (int, error) {
	left, err := r.Leftovers()
	for _, l := range left {
		err = errors.Join(err, (&entry{path: l.Path}).release())
	}
	if r.dir != "" {
		// The folder goes when the last entry has gone; another run's entries keep it.
		_ = os.Remove(r.dir)
	}
	return len(left), err
}

// hide unmounts the copies of the registry's handles that a new mount
// namespace brought along; they would pin other sandboxes.
func (r Registry) hide() {
	files, err := os.ReadDir(r.dir)
	if err != nil {
		return
	}
	for _, f := range files {
		_ = unix.Unmount(filepath.Join(r.dir, f.Name()), unix.MNT_DETACH)
	}
}

func parseEntry(name string) (pid int, start uint64, ok bool) {
	parts := strings.Split(name, "-")
	if len(parts) != 3 {
		return 0, 0, false
	}
	pid, err1 := strconv.Atoi(parts[0])
	start, err2 := strconv.ParseUint(parts[1], 10, 64)
	return pid, start, err1 == nil && err2 == nil
}

// alive reports whether pid is still the process that began at start.
func alive(pid int, start uint64) bool {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return false
	}
	stat, err := p.Stat()
	return err == nil && stat.Starttime == start && stat.State != "Z"
}
