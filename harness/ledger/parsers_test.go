// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// formatsOf reads a kernel's formats, kept under testdata.
func formatsOf(t testing.TB, kernel string) map[Kind]Format {
	t.Helper()
	formats := map[Kind]Format{}
	for _, w := range tracepoints() {
		text, err := os.ReadFile(filepath.Join("testdata", kernel, w.name))
		if os.IsNotExist(err) && !w.needed {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		f, err := ParseFormat(string(text))
		if err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		if f.Name != w.name {
			t.Errorf("name %q, want %q", f.Name, w.name)
		}
		formats[w.kind] = f
	}
	return formats
}

func kernelsOf(t testing.TB) []string {
	t.Helper()
	dirs, err := filepath.Glob("testdata/*/kfree_skb")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no formats under testdata: %v", err)
	}
	var names []string
	for _, d := range dirs {
		names = append(names, filepath.Base(filepath.Dir(d)))
	}
	return names
}

// Every kernel's formats must have what the book goes by.
func TestFormats(t *testing.T) {
	must := map[Kind][]string{
		Queue: {"skbaddr", "len", "name"}, Start: {"skbaddr", "name"}, Xmit: {"skbaddr", "rc", "name"},
		Drop: {"skbaddr", "location", "protocol"}, Consume: {"skbaddr"}, Enqueue: {"skbaddr", "ifindex"}, Dequeue: {"skbaddr"},
		Neighbour: {"family", "dev", "primary_key4", "primary_key6", "err"}, Receive: {"skbaddr", "name"},
	}
	for _, kernel := range kernelsOf(t) {
		for kind, f := range formatsOf(t, kernel) {
			for _, name := range append(must[kind], "common_flags", "common_pid") {
				if _, ok := f.field(name); !ok {
					t.Errorf("%s: %s has no field %s: %+v", kernel, f.Name, name, f.Fields)
				}
			}
		}
	}
}

func TestSymbols(t *testing.T) {
	names := formatsOf(t, "6.18")[Drop].Symbols()
	if names[58] != "NEIGH_FAILED" || names[2] != "NOT_SPECIFIED" {
		t.Errorf("reasons %v", names)
	}
	f := Format{Print: `"%s", __print_symbolic(REC->r, { 0x01, "one" }, { NAME, "none" }, { 3, "three" `}
	if got := f.Symbols(); len(got) != 1 || got[1] != "one" {
		t.Errorf("symbols %v", got)
	}
}

func TestBadFormats(t *testing.T) {
	for _, text := range []string{
		"", "name: x\nID: 1\n", "name: x\nID: 70000\n\tfield:int a;\toffset:0;\tsize:4;\tsigned:1;\n",
		"name: x\nID: 1\n\tfield:int a;\toffset:-1;\tsize:4;\tsigned:1;\n", "name: x\nID: 1\n\tfield:;\toffset:0;\tsize:4;\n",
	} {
		if f, err := ParseFormat(text); err == nil {
			t.Errorf("%q gave %+v", text, f)
		}
	}
}

// raw makes the record of a tracepoint, with a device's name after its fields.
func raw(f Format, dev string, values map[string]uint64) []byte {
	size := 0
	for _, field := range f.Fields {
		size = max(size, field.Offset+field.Size)
	}
	b := make([]byte, size)
	n := binary.NativeEndian
	n.PutUint16(b, f.ID)
	for _, field := range f.Fields {
		v, ok := values[field.Name]
		if field.DataLoc {
			v, ok = uint64(len(dev)+1)<<16|uint64(size), true
		}
		switch {
		case !ok:
		case field.Size == 1:
			b[field.Offset] = byte(v)
		case field.Size == 2:
			n.PutUint16(b[field.Offset:], uint16(v))
		case field.Size == 4:
			n.PutUint32(b[field.Offset:], uint32(v))
		case field.Size == 8:
			n.PutUint64(b[field.Offset:], v)
		}
	}
	return slices.Concat(b, []byte(dev), []byte{0})
}

func TestDecode(t *testing.T) {
	formats := formatsOf(t, "6.18")
	d := newDecoder(formats)
	var e Event
	if !d.decode(raw(formats[Queue], "v0", map[string]uint64{"skbaddr": 0xffff888000001000, "len": 78}), &e) ||
		e.Kind != Queue || e.Skb != 0xffff888000001000 || e.Len != 78 || e.Dev != "v0" || e.Interrupt {
		t.Errorf("net_dev_queue: %+v", e)
	}
	e = Event{}
	if !d.decode(raw(formats[Drop], "", map[string]uint64{"skbaddr": 1, "location": 0xffffffff81e745f0, "reason": 58, "protocol": etherIPv4, "common_flags": flagSoftIRQ}), &e) ||
		e.Kind != Drop || e.Location != 0xffffffff81e745f0 || e.Reason != 58 || e.Protocol != etherIPv4 || !e.Interrupt {
		t.Errorf("kfree_skb: %+v", e)
	}
	e = Event{}
	if !d.decode(raw(formats[Xmit], "v0", map[string]uint64{"skbaddr": 1, "rc": netdevTxBusy}), &e) || e.RC != netdevTxBusy {
		t.Errorf("net_dev_xmit: %+v", e)
	}
	e = Event{}
	neigh := raw(formats[Neighbour], "v0", map[string]uint64{"family": 2, "err": 1})
	key, _ := formats[Neighbour].field("primary_key4")
	copy(neigh[key.Offset:], []byte{10, 9, 9, 2})
	if !d.decode(neigh, &e) || e.RC != 1 || e.Dev != "v0" || e.Addr.String() != "10.9.9.2" {
		t.Errorf("neigh_event_send_done: %+v", e)
	}
	for _, b := range [][]byte{nil, make([]byte, 8), raw(formats[Queue], "v0", nil)} {
		if d.decode(b, &e) {
			t.Errorf("%v was taken for %+v", b, e)
		}
	}
}

func TestFindSymbols(t *testing.T) {
	const text = `0000000000000000 A fixed_percpu_data
ffffffff81000000 T _stext
ffffffff81e745f0 t neigh_invalidate
ffffffff81e74700 t neigh_timer_handler.cold
ffffffff81e74800 d some_data
ffffffffa0000000 t team_xmit	[team]
ffffffffa0000100 t team_other [team]
`
	got, err := findSymbols(strings.NewReader(text), []uint64{0xffffffffa0000010, 0xffffffff81e745ff, 0xffffffff81e74800, 5, 0xffffffff81e745f0})
	if err != nil {
		t.Fatal(err)
	}
	want := map[uint64]string{
		0xffffffffa0000010: "team_xmit", 0xffffffff81e745ff: "neigh_invalidate",
		0xffffffff81e74800: "neigh_timer_handler", 0xffffffff81e745f0: "neigh_invalidate",
	}
	for address, name := range want {
		if got[address] != name {
			t.Errorf("0x%x is in %q, want %q", address, got[address], name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("symbols %v", got)
	}
	hidden, err := findSymbols(strings.NewReader("0000000000000000 T a\n"), []uint64{1 << 63})
	if err != nil || len(hidden) != 0 {
		t.Errorf("zeros gave %v, %v", hidden, err)
	}
}

func TestParseCPUs(t *testing.T) {
	for text, want := range map[string][]int{"0": {0}, "0-2,5": {0, 1, 2, 5}} {
		if got, err := parseCPUs(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q gave %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "a", "3-1", "-1", "0-99999999"} {
		if got, err := parseCPUs(text); err == nil {
			t.Errorf("%q gave %v", text, got)
		}
	}
}

func TestParseQueues(t *testing.T) {
	got, err := ParseQueues("    0  12345   128 2 65531     0     0      128  1\n    7  1    0 2 65531     0     0      128  1\n")
	if err != nil || !slices.Equal(got, []Backlog{{0, 128}, {7, 0}}) {
		t.Errorf("%v, %v", got, err)
	}
	for _, text := range []string{"1 2\n", "a 2 3\n", "1 2 b\n", "99999 1 2\n"} {
		if got, err := ParseQueues(text); err == nil {
			t.Errorf("%q gave %v", text, got)
		}
	}
}

func TestDeviceFilter(t *testing.T) {
	if got := deviceFilter([]string{"v0", "w0"}); got != `name == "v0" || name == "w0"` {
		t.Errorf("filter %q", got)
	}
	if got := deviceFilter([]string{`v"0`}); got != "" {
		t.Errorf("a quote gave %q", got)
	}
	if got := deviceFilter(slices.Repeat([]string{"v0"}, 1000)); got != "" {
		t.Errorf("a filter of %d bytes", len(got))
	}
}

func TestRingPages(t *testing.T) {
	page := os.Getpagesize()
	for cpus, want := range map[int]int{1: mostRing, 2: mostRing, 8: 2 << 20, 6: 2 << 20, 1000: leastRing} {
		if got := ringPages(cpus) * page; got != want {
			t.Errorf("%d processors: rings of %d bytes, want %d", cpus, got, want)
		}
	}
}

func FuzzParseFormat(f *testing.F) {
	for _, kernel := range kernelsOf(f) {
		for _, w := range tracepoints() {
			if text, err := os.ReadFile(filepath.Join("testdata", kernel, w.name)); err == nil {
				f.Add(string(text), []byte("\x00\x09\x10\x00\x01\x00\x00\x00"))
			}
		}
	}
	f.Fuzz(func(_ *testing.T, text string, record []byte) {
		format, err := ParseFormat(text)
		if err != nil {
			return
		}
		format.Symbols()
		var e Event
		newDecoder(map[Kind]Format{Neighbour: format}).decode(record, &e)
		newDecoder(map[Kind]Format{Queue: format}).decode(record, &e)
	})
}

func FuzzSample(f *testing.F) {
	formats := formatsOf(f, "6.18")
	f.Add(sampleOf(raw(formats[Queue], "v0", map[string]uint64{"skbaddr": 1, "len": 78}), 5, 6))
	f.Add(sampleOf(raw(formats[Drop], "", map[string]uint64{"skbaddr": 1})))
	f.Fuzz(func(_ *testing.T, body []byte) {
		var e Event
		newDecoder(formats).parseSample(body, &e)
	})
}

func FuzzParseQueues(f *testing.F) {
	f.Add("    0  12345   128 2 65531     0     0      128  1\n")
	f.Fuzz(func(_ *testing.T, text string) { _, _ = ParseQueues(text) })
}

func FuzzFindSymbols(f *testing.F) {
	f.Add("ffffffff81e745f0 t neigh_invalidate\n", uint64(0xffffffff81e745ff))
	f.Fuzz(func(_ *testing.T, text string, address uint64) {
		_, _ = findSymbols(strings.NewReader(text), []uint64{address, address / 2})
	})
}
