// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// LimitError says that a kernel does not fit. Nothing was downloaded.
type LimitError struct {
	Kernel Name
	// Needs is what the kernel will take, Used what the store takes with the
	// fetches under way, Limit what it may: all in bytes.
	Needs, Used, Limit int64
	// Stored are the kernels in the store with their sizes in bytes.
	Stored []StoredSize
	// Disk is set when it is the disk that is full; then Limit is what is free.
	Disk bool
}

// StoredSize is a kernel's size in the store.
type StoredSize struct {
	Name Name
	Size int64
}

func (e *LimitError) Error() string {
	var b strings.Builder
	if e.Disk {
		fmt.Fprintf(&b, "kernel %s needs about %s, but only %s of disk are free", e.Kernel, mega(e.Needs), mega(e.Limit))
	} else {
		fmt.Fprintf(&b, "kernel %s needs about %s, but the store's limit is %s and %s are used",
			e.Kernel, mega(e.Needs), mega(e.Limit), mega(e.Used))
	}
	if len(e.Stored) == 0 {
		b.WriteString("; raise the limit")
		return b.String()
	}
	b.WriteString("; raise the limit or remove one of:")
	for _, k := range e.Stored {
		fmt.Fprintf(&b, "\n  skleak kernels remove %s  # %s", k.Name, mega(k.Size))
	}
	return b.String()
}

func mega(n int64) string { return strconv.FormatInt((n+1<<20-1)>>20, 10) + " MB" }

// reservedFile is in the folder of a fetch under way: the bytes it will take.
const reservedFile = "reserved"

// estimate says what a Debian kernel will take in the store, in bytes, and how
// much its packages take beside it while they are unpacked. Measured: modules
// that are xz inside (6.12 and later) grow 4.7 to 5 times, others are as
// Installed-Size says; the vmlinux has 45 to 65 MB.
func estimate(packages []Package) (kernel, download int64) {
	for _, p := range packages {
		download += p.Size
		if p.Installed < 2*p.Size {
			kernel += p.Installed * 5
			continue
		}
		kernel += p.Installed
	}
	return kernel + 64<<20, download
}

// reserve makes the folder of a fetch and books its size, or refuses. The
// kernel's lock must be held.
func (s *Store) reserve(ctx context.Context, name Name, kernel, download int64) error {
	return s.locked(ctx, "store", func() error {
		if err := s.fits(name, kernel, download); err != nil {
			return err
		}
		dir := s.tmpDir(name)
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, reservedFile), []byte(strconv.FormatInt(kernel, 10)), 0o644)
	})
}

func (s *Store) fits(name Name, kernel, download int64) error {
	stored, err := s.List()
	if err != nil {
		return err
	}
	e := &LimitError{Kernel: name, Needs: kernel, Limit: s.limits.Bytes}
	for _, k := range stored {
		if k.Name == name {
			continue // it will be replaced
		}
		e.Used += k.Size
		e.Stored = append(e.Stored, StoredSize{k.Name, k.Size})
	}
	reserved, err := s.reserved(name)
	if err != nil {
		return err
	}
	e.Used += reserved
	if e.Used+kernel > e.Limit {
		return e
	}
	var disk unix.Statfs_t
	if err := unix.Statfs(s.dir, &disk); err != nil {
		return fmt.Errorf("how much disk is free at %s: %w", s.dir, err)
	}
	free := int64(disk.Bavail) * disk.Bsize
	if kernel+download > free {
		e.Disk, e.Needs, e.Limit = true, kernel+download, free
		return e
	}
	return nil
}

// reserved adds up what other fetches under way have booked, in bytes.
func (s *Store) reserved(except Name) (int64, error) {
	entries, err := os.ReadDir(filepath.Join(s.dir, "tmp"))
	if err != nil {
		return 0, err
	}
	var total int64
	for _, entry := range entries {
		if entry.Name() == except.folder() {
			continue
		}
		text, err := os.ReadFile(filepath.Join(s.dir, "tmp", entry.Name(), reservedFile))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		// One just being written reads as 0: it was checked under this lock.
		n, _ := strconv.ParseInt(string(text), 10, 64)
		total += n
	}
	return total, nil
}
