// SPDX-License-Identifier: GPL-2.0-only

// Package foreign opens files that may come from a stranger: a report, a saved
// trace, a file of scenarios, a mutant. Whatever lies under such a name, reading
// ends: only regular files are read, up to a bound, and until ctx is done.
package foreign

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// MaxBytes is the longest file that is read where nothing smaller is asked for.
// The report of three hundred scenarios on thirty kernels is a third of it.
const MaxBytes = 64 << 20

// Errors that an *Error wraps, besides those of the system and of ctx.
var (
	ErrNotRegular = errors.New("not a regular file")
	ErrTooLong    = errors.New("too long")
)

// Error says which file was not read, and why.
type Error struct {
	// Path is the file's name.
	Path string
	Err  error
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("read %q: %v", e.Path, e.Err) }

// Unwrap returns what ErrNotRegular and others can be found in.
func (e *Error) Unwrap() error { return e.Err }

// Read reads the file that a user has named, of at most so many bytes. A
// symbolic link is followed, since whoever runs the program has chosen it; what
// it leads to must be a regular file.
func Read(ctx context.Context, path string, most int64) ([]byte, error) {
	return read(ctx, path, most, func() (*os.File, error) {
		// NB: a FIFO without O_NONBLOCK would wait here for its writer, and a
		// terminal without O_NOCTTY become this process's.
		return os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	})
}

// ReadIn reads a file below a folder that came from elsewhere. Nothing that its
// maker has put there leads out of the folder: the file itself may be no
// symbolic link, and a folder on the way to it none that points outside.
func ReadIn(ctx context.Context, dir *os.Root, name string, most int64) ([]byte, error) {
	path := filepath.Join(dir.Name(), name)
	return read(ctx, path, most, func() (*os.File, error) {
		info, err := dir.Lstat(name)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return nil, notRegular(info)
		}
		return dir.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	})
}

// read does the work beside ctx: a file of a server that is gone blocks for good.
func read(ctx context.Context, path string, most int64, open func() (*os.File, error)) ([]byte, error) {
	type outcome struct {
		data []byte
		err  error
	}
	done := make(chan outcome, 1)
	go func() {
		data, err := readWhole(ctx, most, open)
		done <- outcome{data, err}
	}()
	select {
	case <-ctx.Done():
		return nil, &Error{path, ctx.Err()}
	case o := <-done:
		if o.err != nil {
			return nil, &Error{path, withoutPath(o.err)}
		}
		return o.data, nil
	}
}

func readWhole(ctx context.Context, most int64, open func() (*os.File, error)) (data []byte, err error) {
	f, err := open()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, notRegular(info)
	}
	if info.Size() > most {
		return nil, tooLong(most)
	}
	// NB: it may grow under the reader's hands, and files of /proc tell no size.
	data, err = io.ReadAll(io.LimitReader(stopping{ctx, f}, most+1))
	if err == nil && int64(len(data)) > most {
		err = tooLong(most)
	}
	return data, err
}

func tooLong(most int64) error {
	return fmt.Errorf("%w: more than %d bytes; give what skleak or you wrote, or split it", ErrTooLong, most)
}

func notRegular(info fs.FileInfo) error {
	what := "a special file"
	switch mode := info.Mode(); {
	case mode.IsDir():
		what = "a folder"
	case mode&fs.ModeSymlink != 0:
		what = "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		what = "a pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	}
	return fmt.Errorf("%w but %s; give a file", ErrNotRegular, what)
}

// withoutPath leaves out the name, which an *Error has already.
func withoutPath(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// stopping ends with ctx.
type stopping struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (s stopping) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}
