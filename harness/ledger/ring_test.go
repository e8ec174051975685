// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// sampleOf is the body of a PERF_RECORD_SAMPLE.
func sampleOf(raw []byte, chain ...uint64) []byte {
	n := binary.NativeEndian
	var b []byte
	b = n.AppendUint32(b, sender)
	b = n.AppendUint32(b, sender+1)
	b = n.AppendUint64(b, 12345)
	b = n.AppendUint64(b, 1)
	b = n.AppendUint64(b, uint64(len(chain)))
	for _, ip := range chain {
		b = n.AppendUint64(b, ip)
	}
	b = n.AppendUint32(b, uint32(len(raw)))
	b = append(b, raw...)
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	return b
}

// fakeRing is a ring in ordinary memory.
type fakeRing struct{ *ring }

func newFakeRing(size int) fakeRing {
	return fakeRing{&ring{meta: &unix.PerfEventMmapPage{}, data: make([]byte, size)}}
}

func (f fakeRing) put(kind uint32, body []byte) {
	n := binary.NativeEndian
	record := n.AppendUint32(nil, kind)
	record = n.AppendUint16(record, 0)
	record = n.AppendUint16(record, uint16(headerSize+len(body)))
	for _, c := range append(record, body...) {
		f.data[f.meta.Data_head%uint64(len(f.data))] = c
		f.meta.Data_head++
	}
}

func TestRingWraps(t *testing.T) {
	formats := formatsOf(t, "6.18")
	r, d := newFakeRing(512), newDecoder(formats)
	for i := range uint64(50) {
		r.put(unix.PERF_RECORD_SAMPLE, sampleOf(raw(formats[Queue], "v0", map[string]uint64{"skbaddr": i + 1, "len": 78}), 0xffffffffffffff80, 7, i))
		read := 0
		if err := r.drain(func(kind uint32, body []byte) {
			var e Event
			if kind != unix.PERF_RECORD_SAMPLE || !d.parseSample(body, &e) {
				t.Fatalf("record %d is of kind %d or no sample", i, kind)
			}
			if e.Skb != i+1 || e.Dev != "v0" || e.PID != sender || e.TID != sender+1 || e.At != 12345 || e.CPU != 1 || !slices.Equal(e.Chain, []uint64{7, i}) {
				t.Errorf("record %d: %+v", i, e)
			}
			read++
		}); err != nil {
			t.Fatal(err)
		}
		if read != 1 {
			t.Fatalf("%d records read, want 1", read)
		}
	}
}

func TestRingOfNonsense(t *testing.T) {
	r := newFakeRing(512)
	r.meta.Data_head = 16 // a record of size 0
	if err := r.drain(func(uint32, []byte) {}); !errors.Is(err, errRing) {
		t.Errorf("err = %v", err)
	}
}

func TestLostSamplesAreCounted(t *testing.T) {
	r := newFakeRing(512)
	n := binary.NativeEndian
	r.put(unix.PERF_RECORD_LOST, n.AppendUint64(n.AppendUint64(nil, 1), 40))
	r.put(unix.PERF_RECORD_LOST_SAMPLES, n.AppendUint64(nil, 2))
	p := perf{rings: []*ring{r.ring}, decoder: newDecoder(nil)}
	if err := p.drain(); err != nil || p.lost != 42 {
		t.Errorf("lost %d, %v; want 42", p.lost, err)
	}
}

func TestMergeByTime(t *testing.T) {
	streams := []*stream{{pending: []Event{{At: 1}, {At: 9}, {At: 4}}}, {}, {pending: []Event{{At: 2}, {At: 3}, {At: 5}}}}
	var got []int64
	add := func(e Event) { got = append(got, e.At) }
	merge(streams, 4, add)
	merge(streams, 10, add)
	if !slices.Equal(got, []int64{1, 2, 3, 4, 5, 9}) {
		t.Errorf("order %v", got)
	}
}
