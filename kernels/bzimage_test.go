// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bytes"
	"encoding/binary"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz/lzma"
)

func packWith(t testing.TB, content []byte, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := open(&b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// packTool packs with the tool that the kernel's own build uses.
func packTool(t testing.TB, content []byte, argv ...string) []byte {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin = bytes.NewReader(content)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", argv, err)
	}
	return out
}

func payloads(t testing.TB, content []byte) map[string][]byte {
	size := len(content)
	gz := packWith(t, content, func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil })
	zst := packWith(t, content, func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w) })
	lz := packWith(t, content, func(w io.Writer) (io.WriteCloser, error) {
		z := lz4.NewWriter(w)
		return z, z.Apply(lz4.LegacyOption(true))
	})
	lzm := packWith(t, content, func(w io.Writer) (io.WriteCloser, error) { return lzma.NewWriter(w) })
	return map[string][]byte{
		"gzip": gz, "zstd": appendSize(zst, size), "lz4": appendSize(lz, size), "lzma": appendSize(lzm, size),
		// The filter of scripts/xz_wrap.sh.
		"xz":  appendSize(packTool(t, content, "xz", "--check=crc32", "--x86", "--lzma2=dict=32MiB"), size),
		"elf": content,
	}
}

func TestReadImage(t *testing.T) {
	vmlinux := fakeVmlinux(t)
	for name, payload := range payloads(t, vmlinux) {
		t.Run(name, func(t *testing.T) {
			got, err := readImage(fakeImage(payload, "6.12.43+deb13-amd64"))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.ELF, vmlinux) || got.Release != "6.12.43+deb13-amd64" {
				t.Errorf("release %q, ELF of %d bytes, want %d", got.Release, len(got.ELF), len(vmlinux))
			}
			if pvh, err := hasPVH(bytes.NewReader(got.ELF)); err != nil || !pvh {
				t.Errorf("PVH %v, %v", pvh, err)
			}
		})
	}
}

func TestReadImageRefuses(t *testing.T) {
	packed := payloads(t, fakeVmlinux(t))
	zst := packed["zstd"]
	lying := bytes.Clone(zst)
	binary.LittleEndian.PutUint32(lying[len(lying)-4:], maxImage+1)
	small := bytes.Clone(zst)
	binary.LittleEndian.PutUint32(small[len(small)-4:], 64)
	old := fakeImage(zst, "x")
	binary.LittleEndian.PutUint16(old[offProtocol:], 0x0207)
	cut := fakeImage(zst, "x")
	lzmaBomb := append([]byte{0x5d, 0, 0, 0, 0xff}, bytes.Repeat([]byte{0}, 40)...)
	for _, c := range []struct {
		name, want string
		image      []byte
	}{
		{"text", "not an x86 bzImage", []byte(strings.Repeat("no kernel ", 100))},
		{"empty", "not an x86 bzImage", nil},
		{"old protocol", "boot protocol 2.07", old},
		{"cut short", "cut short", cut[:len(cut)-1]},
		{"unknown compression", "unknown compression", fakeImage([]byte("12345678"), "x")},
		{"size too large", "at most", fakeImage(lying, "x")},
		{"size too small", "more than 64 bytes", fakeImage(small, "x")},
		{"no ELF inside", "is no ELF", fakeImage(payloads(t, []byte("text instead"))["zstd"], "x")},
		{"lzma dictionary", "dictionary", fakeImage(appendSize(lzmaBomb, 100), "x")},
	} {
		if _, err := readImage(c.image); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestHasPVH(t *testing.T) {
	for _, c := range []struct {
		name  string
		notes []byte
		want  bool
	}{
		{"entry behind another note", pvhNotes(), true},
		{"none", nil, false},
		{"another's number 18", note("GNU", xenPhys32Entry, make([]byte, 8)), false},
		{"another note of Xen's", note("Xen", 1, make([]byte, 8)), false},
		{"cut short", pvhNotes()[:14], false},
	} {
		got, err := hasPVH(bytes.NewReader(fakeELF(t, c.notes, nil)))
		if err != nil || got != c.want {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
	}
}

func FuzzReadImage(f *testing.F) {
	for _, payload := range payloads(f, fakeVmlinux(f)) {
		f.Add(fakeImage(payload, "6.1"))
	}
	f.Add([]byte("\x7fELF"))
	f.Fuzz(func(t *testing.T, image []byte) {
		got, err := readImage(image)
		if err != nil {
			return
		}
		if int64(len(got.ELF)) > maxImage {
			t.Fatalf("%d bytes out of %d", len(got.ELF), len(image))
		}
		_, _ = hasPVH(bytes.NewReader(got.ELF))
	})
}
