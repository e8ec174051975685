// SPDX-License-Identifier: GPL-2.0-only

package harness

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

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

// entry is one sandbox in the registry. Its owner holds a lock on it for as long
// as it lives, and the kernel lets go of that however it ends. So whether an
// entry is dead needs no process id, which another PID namespace counts
// otherwise.
type entry struct {
	path string
	lock *os.File
}

// lockSuffix, after an entry's path, is the file that is locked.
const lockSuffix = ".lock"

// entryTries bounds the attempts to make an entry while others sweep.
const entryTries = 100

// add enters the namespace of the child pid under the name of this process.
func (r Registry) add(pid int) (*entry, error) {
	if r.dir == "" {
		return nil, nil
	}
	e, err := r.claim()
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(e.path, os.O_CREATE|os.O_EXCL|os.O_RDONLY, 0o600)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("enter a sandbox in the registry: %w", err), e.strike())
	}
	if err := f.Close(); err != nil {
		return nil, errors.Join(err, e.strike())
	}
	if err := unix.Mount(fmt.Sprintf("/proc/%d/ns/net", pid), e.path, "", unix.MS_BIND, ""); err != nil {
		return nil, errors.Join(fmt.Errorf("bind the sandbox's namespace to %s: %w", e.path, err), e.strike())
	}
	return e, nil
}

// claim makes an entry's lock and takes it. Who sweeps beside this may hold it
// for a moment, or remove it or the folder before it is held: then with another.
func (r Registry) claim() (*entry, error) {
	mounts, err := mountNamespace()
	if err != nil {
		return nil, err
	}
	for range entryTries {
		if err = os.MkdirAll(r.dir, 0o700); errors.Is(err, fs.ErrExist) {
			continue // it was there, and gone when looked at
		} else if err != nil {
			break
		}
		var f *os.File
		if f, err = os.CreateTemp(r.dir, mounts+"-*"+lockSuffix); err != nil {
			continue
		}
		e := &entry{path: strings.TrimSuffix(f.Name(), lockSuffix), lock: f}
		if err = e.hold(); err == nil {
			return e, nil
		}
		err = errors.Join(err, f.Close())
	}
	return nil, fmt.Errorf("make an entry in the registry of sandboxes %s: %w", r.dir, err)
}

// errHeld says that somebody lives who owns the entry.
var errHeld = errors.New("its owner lives")

// hold takes the lock without waiting and sees that it is still the entry's.
func (e *entry) hold() error {
	if err := unix.Flock(int(e.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return errHeld
	}
	ours, err := e.lock.Stat()
	if err != nil {
		return err
	}
	there, err := os.Lstat(e.path + lockSuffix)
	if err != nil || !os.SameFile(ours, there) {
		return errHeld
	}
	return nil
}

// release frees what is left in the namespace and strikes it off.
func (e *entry) release() error {
	var fsys unix.Statfs_t
	err := unix.Statfs(e.path, &fsys)
	if errors.Is(err, fs.ErrNotExist) {
		return e.strike()
	}
	// A run killed before it could bind the namespace leaves a plain file.
	if err == nil && fsys.Type == unix.NSFS_MAGIC {
		var out netnsID
		if out, err = currentNamespace(); err == nil {
			err = out.clean(e.path)
		}
	}
	return errors.Join(err, e.strike())
}

// strike removes the entry, its lock last.
func (e *entry) strike() (err error) {
	// NB: MNT_DETACH, since a child just starting may have a copy of the mount.
	if uerr := unix.Unmount(e.path, unix.MNT_DETACH); uerr != nil && !errors.Is(uerr, unix.EINVAL) && !errors.Is(uerr, unix.ENOENT) {
		err = fmt.Errorf("unmount %s: %w", e.path, uerr)
	}
	for _, file := range []string{e.path, e.path + lockSuffix} {
		if rerr := os.Remove(file); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}
	return errors.Join(err, e.lock.Close())
}

// Leftover is a sandbox whose run is no more.
type Leftover struct {
	// Path is the handle to its network namespace.
	Path string `json:"path"`
}

// Leftovers lists the sandboxes of runs that are gone.
func (r Registry) Leftovers() ([]Leftover, error) {
	dead, err := r.dead()
	left := []Leftover{}
	for _, e := range dead {
		left = append(left, Leftover{Path: e.path})
		err = errors.Join(err, e.lock.Close())
	}
	return left, err
}

// dead takes hold of every entry whose owner is gone. One that was entered in
// another mount namespace can be freed only there, where its handle is.
func (r Registry) dead() ([]*entry, error) {
	if r.dir == "" {
		return nil, nil
	}
	mounts, err := mountNamespace()
	if err != nil {
		return nil, err
	}
	locks, err := filepath.Glob(filepath.Join(r.dir, mounts+"-*"+lockSuffix))
	if err != nil {
		return nil, fmt.Errorf("read the registry of sandboxes: %w", err)
	}
	var dead []*entry
	for _, lock := range locks {
		f, err := os.OpenFile(lock, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return dead, fmt.Errorf("read the registry of sandboxes: %w", err)
		}
		e := &entry{path: strings.TrimSuffix(lock, lockSuffix), lock: f}
		if e.hold() == nil {
			dead = append(dead, e)
		} else if err := f.Close(); err != nil {
			return dead, err
		}
	}
	return dead, nil
}

// Sweep frees every leftover and returns how many there were.
func (r Registry) Sweep() (int, error) {
	dead, err := r.dead()
	for _, e := range dead {
		err = errors.Join(err, e.release())
	}
	if r.dir != "" {
		// The folder goes when the last entry has gone; another run's entries keep it.
		_ = os.Remove(r.dir)
	}
	return len(dead), err
}

// mountNamespace is the number of the mount namespace that handles are made in.
func mountNamespace() (string, error) {
	link, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		return "", fmt.Errorf("which mount namespace is this: %w", err)
	}
	return strings.Trim(strings.TrimPrefix(link, "mnt:"), "[]"), nil
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
