// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ring is the buffer one processor's events go to (Documentation of the layout:
// include/uapi/linux/perf_event.h, struct perf_event_mmap_page).
type ring struct {
	mem  []byte
	meta *unix.PerfEventMmapPage
	data []byte
	// wrapped holds a record that goes over the end of data.
	wrapped []byte
	stream
}

// mapRing maps the ring of a perf event; pages is a power of two.
func mapRing(fd, pages int) (*ring, error) {
	page := os.Getpagesize()
	mem, err := unix.Mmap(fd, 0, (1+pages)*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map a perf buffer of %d KiB: %w; raise kernel.perf_event_mlock_kb", pages*page>>10, err)
	}
	return &ring{
		mem: mem, data: mem[page:],
		meta: (*unix.PerfEventMmapPage)(unsafe.Pointer(unsafe.SliceData(mem))),
	}, nil
}

func (r *ring) Close() error {
	if err := unix.Munmap(r.mem); err != nil {
		return fmt.Errorf("unmap a perf buffer: %w", err)
	}
	return nil
}

// errRing is a buffer whose records make no sense.
var errRing = errors.New("read a perf buffer: a record of an impossible size")

const headerSize = 8

// drain hands out each record that is there now: its type, and what follows its
// header. The slice is good only until record returns.
func (r *ring) drain(record func(kind uint32, body []byte)) error {
	head := atomic.LoadUint64(&r.meta.Data_head)
	tail := atomic.LoadUint64(&r.meta.Data_tail)
	size := uint64(len(r.data))
	for tail < head {
		at := tail % size
		header := r.data[at:]
		// NB: records are aligned to 8 bytes, so a header never wraps.
		kind := binary.NativeEndian.Uint32(header)
		length := uint64(binary.NativeEndian.Uint16(header[6:]))
		if length < headerSize || length > head-tail {
			return errRing
		}
		record(kind, r.body(at, length)[headerSize:])
		tail += length
		atomic.StoreUint64(&r.meta.Data_tail, tail)
	}
	return nil
}

// body is the record at an offset, in one piece.
func (r *ring) body(at, length uint64) []byte {
	end := at + length
	if end <= uint64(len(r.data)) {
		return r.data[at:end]
	}
	r.wrapped = append(r.wrapped[:0], r.data[at:]...)
	r.wrapped = append(r.wrapped, r.data[:end-uint64(len(r.data))]...)
	return r.wrapped
}

// sampleHead is what stands before the call chain: pid, tid, time, cpu, res.
const sampleHead = 24

// parseSample reads the body of a PERF_RECORD_SAMPLE of sampleType.
func (d *decoder) parseSample(body []byte, e *Event) bool {
	if len(body) < sampleHead+8 {
		return false
	}
	n := binary.NativeEndian
	*e = Event{
		PID: int32(n.Uint32(body)), TID: int32(n.Uint32(body[4:])),
		At: int64(n.Uint64(body[8:])), CPU: n.Uint32(body[16:]),
	}
	depth := n.Uint64(body[sampleHead:])
	rest := body[sampleHead+8:]
	if depth > uint64(len(rest))/8 {
		return false
	}
	chain := rest[:depth*8]
	rest = rest[depth*8:]
	if len(rest) < 4 {
		return false
	}
	size := n.Uint32(rest)
	if uint64(size) > uint64(len(rest)-4) || !d.decode(rest[4:4+size], e) {
		return false
	}
	for ; len(chain) > 0; chain = chain[8:] {
		// The markers between contexts are negative numbers near 0.
		if ip := n.Uint64(chain); ip < perfContextMax {
			e.Chain = append(e.Chain, ip)
		}
	}
	return true
}

// perfContextMax is PERF_CONTEXT_MAX as the u64 it is in a chain.
const perfContextMax = ^uint64(4095) + 1
