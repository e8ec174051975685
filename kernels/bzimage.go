// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxImage bounds the vmlinux taken out of a bzImage, in bytes. Debian's are
// 50 to 80 MB; KASAN doubles that.
const maxImage = 512 << 20

// bootImage is what a bzImage holds.
type bootImage struct {
	// ELF is the vmlinux, stripped.
	ELF []byte
	// Release is the first word of the version string: uname -r. "" when the
	// image has none.
	Release string
}

// Offsets in a bzImage's boot header (Documentation/arch/x86/boot.rst).
const (
	offSetupSects    = 0x1f1
	offMagic         = 0x202
	offProtocol      = 0x206
	offKernelVersion = 0x20e
	offPayload       = 0x248
	offPayloadLength = 0x24c
	headerEnd        = 0x250
	// payloadProtocol is the boot protocol from which on the payload is named.
	payloadProtocol = 0x0208
	sector          = 512
)

// readImage takes the vmlinux out of a bzImage. An ELF passes as it is.
func readImage(image []byte) (bootImage, error) {
	if bytes.HasPrefix(image, []byte(elf.ELFMAG)) {
		return bootImage{ELF: image}, nil
	}
	payload, err := payloadOf(image)
	if err != nil {
		return bootImage{}, err
	}
	vmlinux, err := unpackPayload(payload)
	if err != nil {
		return bootImage{}, fmt.Errorf("payload of the bzImage: %w", err)
	}
	return bootImage{ELF: vmlinux, Release: releaseOf(image)}, nil
}

func payloadOf(image []byte) ([]byte, error) {
	if len(image) < headerEnd || string(image[offMagic:offMagic+4]) != "HdrS" {
		return nil, errors.New("not an x86 bzImage (no HdrS at 0x202) and no ELF")
	}
	le := binary.LittleEndian
	if p := le.Uint16(image[offProtocol:]); p < payloadProtocol {
		return nil, fmt.Errorf("boot protocol %d.%02d names no payload; 2.08 (Linux 2.6.26) does", p>>8, p&0xff)
	}
	setup := int64(image[offSetupSects])
	if setup == 0 {
		// The boot protocol reads 0 as 4.
		setup = 4
	}
	start := (setup+1)*sector + int64(le.Uint32(image[offPayload:]))
	length := int64(le.Uint32(image[offPayloadLength:]))
	if length < 8 || start+length > int64(len(image)) {
		return nil, fmt.Errorf("the payload (%d bytes at %d) lies outside the image of %d bytes: cut short?", length, start, len(image))
	}
	return image[start : start+length], nil
}

// unpackPayload decompresses the payload, whose last four bytes are the size
// it unpacks to (size_append in scripts/Makefile.lib; gzip has them by itself).
func unpackPayload(payload []byte) ([]byte, error) {
	if bytes.HasPrefix(payload, []byte(elf.ELFMAG)) {
		return payload, nil
	}
	c, ok := codecOf(payload)
	if !ok {
		return nil, fmt.Errorf("unknown compression, magic % x", payload[:4])
	}
	end := len(payload) - 4
	size := int64(binary.LittleEndian.Uint32(payload[end:]))
	if size == 0 || size > maxImage {
		return nil, fmt.Errorf("%s: says it unpacks to %d bytes; at most %d are taken", c.name, size, int64(maxImage))
	}
	if c.name != "gzip" {
		payload = payload[:end]
	}
	vmlinux, err := c.unpack(payload, size, size)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(vmlinux, []byte(elf.ELFMAG)) {
		return nil, fmt.Errorf("%s: what comes out is no ELF", c.name)
	}
	return vmlinux, nil
}

// releaseOf reads the version string that kernel_version points to.
func releaseOf(image []byte) string {
	at := int(binary.LittleEndian.Uint16(image[offKernelVersion:]))
	if at == 0 || at+sector >= len(image) {
		return ""
	}
	text, _, found := bytes.Cut(image[at+sector:min(len(image), at+2*sector)], []byte{0})
	if !found {
		return ""
	}
	release, _, _ := strings.Cut(string(text), " ")
	return release
}

// maxNotes bounds one PT_NOTE segment in bytes.
const maxNotes = 1 << 20

// hasPVH says whether a vmlinux has the Xen note PHYS32_ENTRY, by which QEMU
// starts an ELF (CONFIG_PVH).
func hasPVH(vmlinux io.ReaderAt) (bool, error) {
	f, err := elf.NewFile(vmlinux)
	if err != nil {
		return false, fmt.Errorf("vmlinux: %w", err)
	}
	if f.Machine != elf.EM_X86_64 {
		return false, fmt.Errorf("vmlinux is for %v, not x86-64", f.Machine)
	}
	for _, p := range f.Progs {
		if p.Type != elf.PT_NOTE || p.Filesz == 0 || p.Filesz > maxNotes {
			continue
		}
		notes := make([]byte, p.Filesz)
		if _, err := p.ReadAt(notes, 0); err != nil {
			return false, fmt.Errorf("vmlinux: notes: %w", err)
		}
		if notesHavePVH(notes) {
			return true, nil
		}
	}
	return false, nil
}

// xenPhys32Entry is XEN_ELFNOTE_PHYS32_ENTRY (include/xen/interface/elfnote.h).
const xenPhys32Entry = 18

func notesHavePVH(notes []byte) bool {
	le := binary.LittleEndian
	for len(notes) >= 12 {
		nameLen, descLen := uint64(le.Uint32(notes)), uint64(le.Uint32(notes[4:]))
		kind := le.Uint32(notes[8:])
		descAt := 12 + (nameLen+3)&^3
		end := descAt + (descLen+3)&^3
		if descAt > uint64(len(notes)) {
			return false
		}
		if kind == xenPhys32Entry && bytes.HasPrefix(notes[12:descAt], []byte("Xen\x00")) {
			return true
		}
		if end > uint64(len(notes)) {
			return false
		}
		notes = notes[end:]
	}
	return false
}
