// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// events is one of each kind.
func events() []Event {
	return []Event{
		{Kind: EventHello, Kernel: &Kernel{Release: "6.18.44", Version: "#1", Arch: "x86_64", Source: "host"}},
		{Kind: EventBegin, Scenario: "hold/tbf", AtNs: 1},
		{Kind: EventPhase, Scenario: "hold/tbf", Text: PhaseTraffic, AtNs: 2},
		{Kind: EventSample, Scenario: "hold/tbf", Sample: &Point{AtNs: 3, Bytes: 832}},
		{Kind: EventNote, Text: "a line\nwith \x1b[2J and \u2028 in it"},
		{Kind: EventTrace, Scenario: "hold/tbf", Trace: &Trace{
			Schema: TraceSchema, Scenario: "hold/tbf", Sent: 257, Refused: map[string]int{"ENOBUFS": 1},
			Settle:        Reading{Bytes: 213824, PerSocket: []uint32{0xBFFFFFFF}},
			SocketsBefore: -1,
		}},
		{Kind: EventSkip, Scenario: "vlan/up", Text: "no vlan", Hint: "CONFIG_VLAN_8021Q"},
		{Kind: EventTrouble, Scenario: "tun/read", Text: "out of memory"},
		{Kind: EventBye},
	}
}

func encoded(t testing.TB, list []Event) string {
	t.Helper()
	var b bytes.Buffer
	enc := NewEncoder(&b)
	for _, e := range list {
		if err := enc.Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// decoded reads until the first error, which is io.EOF for a whole stream.
func decoded(r io.Reader) ([]Event, error) {
	d := NewDecoder(r)
	var list []Event
	for {
		e, err := d.Next()
		if err != nil {
			return list, err
		}
		list = append(list, e)
	}
}

func TestEventsRoundTrip(t *testing.T) {
	stream := encoded(t, events())
	if n := strings.Count(stream, "\n"); n != len(events()) {
		t.Errorf("%d lines for %d events", n, len(events()))
	}
	got, err := decoded(strings.NewReader(stream))
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	want := events()
	for i := range want {
		want[i].V, want[i].Seq = EventVersion, uint64(i+1)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDecoderRefuses(t *testing.T) {
	lines := strings.SplitAfter(encoded(t, events()), "\n")
	for _, c := range []struct {
		name   string
		stream string
		good   int
		want   error
	}{
		{"a missing line", lines[0] + lines[2], 1, ErrGap},
		{"a line twice", lines[0] + lines[0], 1, ErrGap},
		{"a start in the middle", lines[1], 0, ErrGap},
		{"another version", strings.Replace(lines[0], `"v":1`, `"v":2`, 1), 0, ErrVersion},
		{"no version", `{"seq":1}` + "\n", 0, ErrVersion},
		{"an empty line", "\n", 0, ErrGarbled},
		{"a kernel message", lines[0] + "[    1.5] random: crng init done\n", 1, ErrGarbled},
		{"half a line", lines[0] + lines[1][:len(lines[1])/2], 1, ErrGarbled},
		{"a line of binary", "\x00\xff\x00\n", 0, ErrGarbled},
		{"two events in a line", strings.TrimSpace(lines[0]) + lines[1], 0, ErrGarbled},
		{"a trace event without a trace", `{"v":1,"seq":1,"kind":"trace"}`, 0, ErrGarbled},
		{"a trace of another version", `{"v":1,"seq":1,"kind":"trace","trace":{"schema":"skleak-trace/2"}}`, 0, ErrVersion},
		{"the end", lines[0], 1, io.EOF},
		{"nothing", "", 0, io.EOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := decoded(strings.NewReader(c.stream))
			if len(got) != c.good || !errors.Is(err, c.want) {
				t.Errorf("%d events, error %v; want %d, %v", len(got), err, c.good, c.want)
			}
		})
	}
}

func TestDecoderBoundsALine(t *testing.T) {
	_, err := decoded(io.MultiReader(strings.NewReader(`{"v":1,"text":"`), io.LimitReader(endless{}, 2*MaxEventBytes)))
	if err == nil || errors.Is(err, io.EOF) || !strings.Contains(err.Error(), "read event 1") {
		t.Errorf("a line of %d bytes: %v", 2*MaxEventBytes, err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestDecoderTellsAReadError(t *testing.T) {
	broken := errors.New("the guest is gone")
	_, err := decoded(io.MultiReader(strings.NewReader(encoded(t, events()[:1])), failing{broken}))
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "event 2") {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestEncoderTellsAWriteError(t *testing.T) {
	broken := errors.New("broken pipe")
	err := NewEncoder(failing{broken}).Encode(Event{Kind: EventBegin, Scenario: "hold/tbf"})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "hold/tbf") {
		t.Errorf("got %v", err)
	}
}

func TestEncoderTakesManyGoroutines(t *testing.T) {
	var b bytes.Buffer
	enc := NewEncoder(&b)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 50 {
				if err := enc.Encode(Event{Kind: EventNote, Text: fmt.Sprint(i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got, err := decoded(&b); len(got) != 400 || !errors.Is(err, io.EOF) {
		t.Errorf("%d events, %v", len(got), err)
	}
}

func TestReadTraceAndReport(t *testing.T) {
	if _, err := ReadTrace(strings.NewReader(`{"schema":"skleak-trace/1","scenario":"a/b"}`)); err != nil {
		t.Error(err)
	}
	if _, err := ReadReport(strings.NewReader(`{"schema":"skleak/1","runs":[]}`)); err != nil {
		t.Error(err)
	}
	for _, s := range []string{`{}`, `{"schema":"skleak/2"}`, `{"schema":"skleak-trace/0"}`} {
		if _, err := ReadTrace(strings.NewReader(s)); !errors.Is(err, ErrVersion) {
			t.Errorf("trace %s: %v", s, err)
		}
		if _, err := ReadReport(strings.NewReader(s)); !errors.Is(err, ErrVersion) {
			t.Errorf("report %s: %v", s, err)
		}
	}
	for _, s := range []string{``, `[`, "\x7fELF", `{"schema":"skleak/1","runs":[]} x`, `{"schema":"skleak-trace/1"}{}`} {
		if _, err := ReadTrace(strings.NewReader(s)); err == nil {
			t.Errorf("trace %q was read", s)
		}
		if _, err := ReadReport(strings.NewReader(s)); err == nil {
			t.Errorf("report %q was read", s)
		}
	}
}

func TestOnlyTheLastEventEnds(t *testing.T) {
	ends := map[EventKind]bool{EventTrace: true, EventSkip: true, EventTrouble: true}
	for _, e := range events() {
		if e.Ends() != ends[e.Kind] {
			t.Errorf("%s ends: %t", e.Kind, e.Ends())
		}
	}
}

// countingWriter counts the writes.
type countingWriter struct {
	bytes.Buffer
	writes int
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.writes++
	return w.Buffer.Write(p)
}

// An event that can wait comes with the next, in one write, in its place.
func TestEncodeLater(t *testing.T) {
	var w countingWriter
	enc := NewEncoder(&w)
	for _, e := range events() {
		send := enc.Encode
		if e.CanWait() {
			send = enc.EncodeLater
		}
		if err := send(e); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := w.String(), encoded(t, events()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if want := len(events()) - 1; w.writes != want {
		t.Errorf("%d writes, want %d", w.writes, want)
	}
}

// What somebody's turn hangs on must not wait.
func TestCanWait(t *testing.T) {
	for _, e := range events() {
		if e.Kind != EventPhase && e.CanWait() {
			t.Errorf("a %s can wait", e.Kind)
		}
	}
	for _, phase := range []string{PhaseSettle, PhasePatience, PhaseRefill, PhaseLadder, PhaseLaw} {
		if (Event{Kind: EventPhase, Text: phase}).CanWait() {
			t.Errorf("the phase %s can wait", phase)
		}
	}
}
