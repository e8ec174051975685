// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// DefaultLimit is the size limit of a store, in bytes: some thirty kernels.
const DefaultLimit = 16 << 30

// Limits bound a store.
type Limits struct {
	// Bytes is the most all kernels together may take; 0 is DefaultLimit.
	Bytes int64
}

// Store keeps kernels in a folder. Several processes may use one at once.
//
//	kernels/NAME   a kernel each, put there by one rename
//	userlands/KEY  programs for guests, joined out of Debian packages
//	tmp/NAME       a fetch under way
//	locks/NAME     held by who fetches or removes it
//	apt/           apt's private state
//	catalogue.json what the mirror serves
//	debian.sources if somebody put it there, the mirror instead of apt's own
type Store struct {
	dir    string
	limits Limits
}

// DefaultDir is where the store is when nothing else is said: in the user's
// cache (XDG_CACHE_HOME), or where SKLEAK_STORE says.
func DefaultDir() (string, error) {
	if dir := os.Getenv("SKLEAK_STORE"); dir != "" {
		return filepath.Abs(dir)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("where to keep kernels: %w; set SKLEAK_STORE", err)
	}
	return filepath.Join(cache, "skleak", "kernels"), nil
}

// Open opens the store in dir ("" is DefaultDir), makes it if there is none,
// and sweeps out what broken-off fetches left. A Store holds nothing open.
func Open(dir string, limits Limits) (*Store, error) {
	if dir == "" {
		var err error
		if dir, err = DefaultDir(); err != nil {
			return nil, err
		}
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, limits: Limits{Bytes: cmp.Or(limits.Bytes, DefaultLimit)}}
	for _, sub := range []string{"kernels", "userlands", "tmp", "locks", "apt"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, fmt.Errorf("open the kernel store: %w; SKLEAK_STORE names another place", err)
		}
	}
	return s, errors.Join(s.sweep(), sweepDownloadBoxes(downloadBoxes, time.Now()))
}

// Dir is the store's folder.
func (s *Store) Dir() string { return s.dir }

// folder is a name's file name in the store.
func (n Name) folder() string {
	if strings.HasPrefix(string(n), string(Debian)+":") {
		return strings.NewReplacer(":", "-", "/", "-").Replace(string(n))
	}
	sum := sha256.Sum256([]byte(n))
	return "local-" + hex.EncodeToString(sum[:8])
}

func (s *Store) kernelDir(n Name) string { return filepath.Join(s.dir, "kernels", n.folder()) }
func (s *Store) tmpDir(n Name) string    { return filepath.Join(s.dir, "tmp", n.folder()) }

func (s *Store) lock(name string) *flock.Flock {
	return flock.New(filepath.Join(s.dir, "locks", name+".lock"))
}

// lockRetry is how often a held lock is tried again.
const lockRetry = 50 * time.Millisecond

// locked runs f while holding a lock of the store.
func (s *Store) locked(ctx context.Context, name string, f func() error) error {
	l := s.lock(name)
	if _, err := l.TryLockContext(ctx, lockRetry); err != nil {
		return fmt.Errorf("lock %s in the kernel store: %w", name, err)
	}
	defer l.Close() //nolint:errcheck // closing an flock gives it up in any case
	return f()
}

// sweep removes what nobody works on any more: a fetch holds its kernel's lock.
func (s *Store) sweep() error {
	left, err := os.ReadDir(filepath.Join(s.dir, "tmp"))
	if err != nil {
		return fmt.Errorf("sweep the kernel store: %w", err)
	}
	for _, entry := range left {
		l := s.lock(entry.Name())
		free, err := l.TryLock()
		if err != nil {
			return fmt.Errorf("sweep the kernel store: %w", err)
		}
		if free {
			err = os.RemoveAll(filepath.Join(s.dir, "tmp", entry.Name()))
		}
		if err := errors.Join(err, l.Close()); err != nil {
			return fmt.Errorf("sweep the kernel store: %w", err)
		}
	}
	return nil
}

// List gives the kernels in the store: Debian's by version, then local ones by
// name.
func (s *Store) List() ([]*Kernel, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, "kernels"))
	if err != nil {
		return nil, fmt.Errorf("list the kernel store: %w", err)
	}
	var all []*Kernel
	for _, entry := range entries {
		k, err := loadKernel(filepath.Join(s.dir, "kernels", entry.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return nil, fmt.Errorf("list the kernel store: %w", err)
		}
		all = append(all, k)
	}
	slices.SortFunc(all, compareKernels)
	return all, nil
}

func compareKernels(a, b *Kernel) int {
	x, errX := a.Name.spec()
	y, errY := b.Name.spec()
	if errX != nil || errY != nil || x.Source != Debian || y.Source != Debian {
		return strings.Compare(string(a.Name), string(b.Name))
	}
	return cmp.Or(x.From.Compare(y.From), strings.Compare(x.Flavour, y.Flavour))
}

// ErrNotStored says that the store does not have a kernel.
var ErrNotStored = errors.New("not in the store")

// Show gives a kernel that is in the store, after a check of its files' sizes
// and times. One that is not there is ErrNotStored.
func (s *Store) Show(name Name) (*Kernel, error) {
	k, err := loadKernel(s.kernelDir(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("kernel %s: %w", name, ErrNotStored)
	}
	if err != nil {
		return nil, fmt.Errorf("kernel %s: %w", name, err)
	}
	return k, k.check()
}

// Remove takes a kernel out of the store. One that is being fetched is waited
// for.
func (s *Store) Remove(ctx context.Context, name Name) error {
	return s.locked(ctx, name.folder(), func() error {
		if err := os.RemoveAll(s.tmpDir(name)); err != nil {
			return fmt.Errorf("remove kernel %s: %w", name, err)
		}
		err := os.Rename(s.kernelDir(name), s.tmpDir(name))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove kernel %s: %w", name, ErrNotStored)
		}
		if err == nil {
			err = os.RemoveAll(s.tmpDir(name))
		}
		if err != nil {
			return fmt.Errorf("remove kernel %s: %w", name, err)
		}
		return nil
	})
}

// folderSize adds up the files of a folder in bytes; 0 when it is gone.
func folderSize(dir string) (int64, error) {
	var total int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		st, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			total += st.Size()
		}
		return err
	})
	return total, err
}
