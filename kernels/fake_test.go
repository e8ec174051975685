// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"skleak/internal/testkit"
)

func TestMain(m *testing.M) {
	if name := os.Getenv("KERNELS_TEST_FETCH"); name != "" {
		os.Exit(fetchChild(Name(name)))
	}
	os.Exit(testkit.Main(m))
}

// golden compares text with a file under testdata.
func golden(t *testing.T, file, got string) {
	t.Helper()
	testkit.Golden(t, filepath.Join("testdata", file), got)
}

// fakeELF makes an x86-64 ELF with the notes as PT_NOTE and, unless it is nil,
// a .modinfo section.
func fakeELF(t testing.TB, notes, modinfo []byte) []byte {
	t.Helper()
	const ehsize, phsize, shsize = 64, 56, 64
	strtab := []byte("\x00.modinfo\x00.shstrtab\x00")
	notesAt := uint64(ehsize + phsize)
	infoAt := notesAt + uint64(len(notes))
	strAt := infoAt + uint64(len(modinfo))
	shAt := (strAt + uint64(len(strtab)) + 7) &^ 7
	h := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: ehsize, Shoff: shAt,
		Ehsize: ehsize, Phentsize: phsize, Phnum: 1, Shentsize: shsize, Shnum: 2, Shstrndx: 1,
	}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	sections := []elf.Section64{{}, {Name: 10, Type: uint32(elf.SHT_STRTAB), Off: strAt, Size: uint64(len(strtab))}}
	if modinfo != nil {
		sections = append(sections, elf.Section64{Name: 1, Type: uint32(elf.SHT_PROGBITS), Off: infoAt, Size: uint64(len(modinfo))})
		h.Shnum = 3
	}
	var b bytes.Buffer
	put := func(v any) {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	put(h)
	put(elf.Prog64{Type: uint32(elf.PT_NOTE), Off: notesAt, Filesz: uint64(len(notes)), Memsz: uint64(len(notes))})
	b.Write(notes)
	b.Write(modinfo)
	b.Write(strtab)
	b.Write(make([]byte, shAt-uint64(b.Len())))
	put(sections)
	return b.Bytes()
}

func note(name string, kind uint32, desc []byte) []byte {
	var b bytes.Buffer
	pad := func(p []byte) {
		b.Write(p)
		b.Write(make([]byte, -len(p)&3))
	}
	for _, v := range []uint32{uint32(len(name) + 1), uint32(len(desc)), kind} {
		b.Write(binary.LittleEndian.AppendUint32(nil, v))
	}
	pad(append([]byte(name), 0))
	pad(desc)
	return b.Bytes()
}

func pvhNotes() []byte {
	return append(note("GNU", 3, []byte("build id")), note("Xen", xenPhys32Entry, make([]byte, 8))...)
}

// fakeVmlinux is an ELF with a PVH entry, and something to compress.
func fakeVmlinux(t testing.TB) []byte {
	return append(fakeELF(t, pvhNotes(), nil), bytes.Repeat([]byte("relocations "), 100)...)
}

// fakeModule is a module's ELF with the fields given.
func fakeModule(t testing.TB, fields ...string) []byte {
	return fakeELF(t, nil, []byte(strings.Join(fields, "\x00")+"\x00"))
}

// fakeImage is a bzImage with the payload as it is.
func fakeImage(payload []byte, release string) []byte {
	const setupSects = 3
	image := make([]byte, (setupSects+1)*sector+64)
	image[offSetupSects] = setupSects
	copy(image[offMagic:], "HdrS")
	le := binary.LittleEndian
	le.PutUint16(image[offProtocol:], 0x020f)
	le.PutUint16(image[offKernelVersion:], sector)
	copy(image[2*sector:], release+" (someone@example.org) #1 SMP\x00")
	le.PutUint32(image[offPayload:], 64)
	le.PutUint32(image[offPayloadLength:], uint32(len(payload)))
	return slices.Concat(image, payload)
}

func appendSize(packed []byte, size int) []byte {
	return binary.LittleEndian.AppendUint32(bytes.Clone(packed), uint32(size))
}

// put writes a file and its folders.
func put(t testing.TB, file string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o644); err != nil {
		t.Fatal(err)
	}
}
