// SPDX-License-Identifier: GPL-2.0-only

package foreign_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"skleak/record/foreign"
)

// zoo is a folder with one of each kind of file.
func zoo(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	must(os.WriteFile(in("file"), []byte("text"), 0o600))
	must(os.Mkdir(in("folder"), 0o700))
	must(unix.Mkfifo(in("pipe"), 0o600))
	l, err := net.Listen("unix", in("socket"))
	must(err)
	t.Cleanup(func() { _ = l.Close() })
	must(os.Symlink("file", in("link")))
	must(os.Symlink("/dev/zero", in("zero")))
	must(os.Symlink("pipe", in("to-pipe")))
	must(os.Symlink("loop", in("loop")))
	must(os.Symlink("/", in("outside")))
	big, err := os.Create(in("big"))
	must(err)
	must(big.Truncate(3 << 30))
	must(big.Close())
	return dir
}

func TestOnlyRegularFilesAreRead(t *testing.T) {
	dir := zoo(t)
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	whatever := errors.New("any error")
	for _, c := range []struct {
		name         string
		named, below error
	}{
		{"file", nil, nil},
		{"folder", foreign.ErrNotRegular, foreign.ErrNotRegular},
		{"pipe", foreign.ErrNotRegular, foreign.ErrNotRegular},
		{"socket", unix.ENXIO, foreign.ErrNotRegular},
		{"link", nil, foreign.ErrNotRegular},
		{"zero", foreign.ErrNotRegular, foreign.ErrNotRegular},
		{"to-pipe", foreign.ErrNotRegular, foreign.ErrNotRegular},
		{"loop", unix.ELOOP, foreign.ErrNotRegular},
		{"big", foreign.ErrTooLong, foreign.ErrTooLong},
		{"none", fs.ErrNotExist, fs.ErrNotExist},
		{"outside/etc/passwd", nil, whatever},
		{"../" + filepath.Base(dir) + "/file", nil, whatever},
	} {
		check := func(how string, data []byte, err, want error) {
			t.Helper()
			switch {
			case want == nil && err != nil:
				t.Errorf("%s %s: %v", how, c.name, err)
			case errors.Is(want, whatever) && err == nil || !errors.Is(want, whatever) && !errors.Is(err, want):
				t.Errorf("%s %s: error %v, want %v", how, c.name, err, want)
			case err != nil && len(data) > 0:
				t.Errorf("%s %s: data and an error", how, c.name)
			}
		}
		data, err := foreign.Read(t.Context(), filepath.Join(dir, c.name), 1<<20)
		check("named", data, err, c.named)
		data, err = foreign.ReadIn(t.Context(), root, c.name, 1<<20)
		check("below", data, err, c.below)
	}
}

func TestTheBoundIsExact(t *testing.T) {
	path := filepath.Join(zoo(t), "file")
	if _, err := foreign.Read(t.Context(), path, 4); err != nil {
		t.Error(err)
	}
	if _, err := foreign.Read(t.Context(), path, 3); !errors.Is(err, foreign.ErrTooLong) {
		t.Errorf("%v, want too long", err)
	}
	// Files of /proc say that they are empty.
	if _, err := foreign.Read(t.Context(), "/proc/self/status", 10); !errors.Is(err, foreign.ErrTooLong) {
		t.Errorf("%v, want too long", err)
	}
}

func TestContextEndsReading(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := foreign.Read(ctx, filepath.Join(zoo(t), "file"), 10); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want canceled", err)
	}
}
