// SPDX-License-Identifier: GPL-2.0-only

package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// MaxEventBytes bounds one line of the stream; a longer one is an error.
const MaxEventBytes = 8 << 20

// Encoder writes events as JSON lines, numbering them. It is safe for use from
// several goroutines.
type Encoder struct {
	mu  sync.Mutex
	w   io.Writer
	seq uint64
	// kept are lines that go out with the next one.
	kept []byte
}

// NewEncoder returns an Encoder that writes to w.
func NewEncoder(w io.Writer) *Encoder { return &Encoder{w: w} }

// Encode stamps e with version and number and writes it as one line.
func (enc *Encoder) Encode(e Event) error {
	enc.mu.Lock()
	defer enc.mu.Unlock()
	if err := enc.keep(e); err != nil {
		return err
	}
	if _, err := enc.w.Write(enc.kept); err != nil {
		return fmt.Errorf("send event %s of %s: %w", e.Kind, e.Scenario, err)
	}
	enc.kept = enc.kept[:0]
	return nil
}

// EncodeLater does the same with the next Encode, in one write: for an event
// that nobody waits for. Without KVM each write wakes a reader that costs more
// than the event.
func (enc *Encoder) EncodeLater(e Event) error {
	enc.mu.Lock()
	defer enc.mu.Unlock()
	return enc.keep(e)
}

func (enc *Encoder) keep(e Event) error {
	e.V, e.Seq = EventVersion, enc.seq+1
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode event %s of %s: %w", e.Kind, e.Scenario, err)
	}
	enc.kept = append(append(enc.kept, line...), '\n')
	enc.seq++
	return nil
}

// Errors a Decoder wraps; each means the stream cannot be trusted any further.
var (
	ErrVersion = errors.New("stream of another version")
	ErrGap     = errors.New("events are missing from the stream")
	ErrGarbled = errors.New("line that is no event")
)

// Decoder reads what an Encoder wrote and checks version and numbering.
type Decoder struct {
	s   *bufio.Scanner
	seq uint64
}

// NewDecoder returns a Decoder that reads from r.
func NewDecoder(r io.Reader) *Decoder {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), MaxEventBytes)
	return &Decoder{s: s}
}

// Next returns the next event; io.EOF at the end of the stream.
func (d *Decoder) Next() (Event, error) {
	if !d.s.Scan() {
		if err := d.s.Err(); err != nil {
			return Event{}, fmt.Errorf("read event %d: %w", d.seq+1, err)
		}
		return Event{}, io.EOF
	}
	e, err := DecodeEvent(d.s.Bytes())
	if err != nil {
		return Event{}, fmt.Errorf("event %d: %w", d.seq+1, err)
	}
	if e.Seq != d.seq+1 {
		return Event{}, fmt.Errorf("%w: number %d after %d", ErrGap, e.Seq, d.seq)
	}
	d.seq = e.Seq
	return e, nil
}

// DecodeEvent decodes one line. Its version is checked, its number is not.
func DecodeEvent(line []byte) (Event, error) {
	var e Event
	if err := json.Unmarshal(line, &e); err != nil {
		return Event{}, fmt.Errorf("%w: %w (it begins %q)", ErrGarbled, err, head(line))
	}
	if e.V != EventVersion {
		return Event{}, fmt.Errorf("%w: %d, this skleak reads %d", ErrVersion, e.V, EventVersion)
	}
	if e.Kind == EventTrace {
		if e.Trace == nil {
			return Event{}, fmt.Errorf("%w: a trace event without a trace", ErrGarbled)
		}
		if e.Trace.Schema != TraceSchema {
			return Event{}, fmt.Errorf("%w: trace %q, this skleak reads %q", ErrVersion, e.Trace.Schema, TraceSchema)
		}
	}
	return e, nil
}

func head(line []byte) []byte {
	line = bytes.TrimSpace(line)
	return line[:min(len(line), 40)]
}

// ReadTrace decodes a saved trace and checks its version and bounds.
func ReadTrace(r io.Reader) (Trace, error) {
	var t Trace
	if err := decodeWhole(r, &t); err != nil {
		return Trace{}, fmt.Errorf("read trace: %w", err)
	}
	if t.Schema != TraceSchema {
		return Trace{}, fmt.Errorf("read trace: %w: %q, this skleak reads %q", ErrVersion, t.Schema, TraceSchema)
	}
	return t, nil
}

// ReadReport decodes a report and checks its version and bounds, and that
// statuses, verdicts and shard are such as skleak knows.
func ReadReport(r io.Reader) (Report, error) {
	var rep Report
	if err := decodeWhole(r, &rep); err != nil {
		return Report{}, fmt.Errorf("read report: %w", err)
	}
	if rep.Schema != ReportSchema {
		return Report{}, fmt.Errorf("read report: %w: %q, this skleak reads %q", ErrVersion, rep.Schema, ReportSchema)
	}
	if err := rep.check(); err != nil {
		return Report{}, fmt.Errorf("read report: %w", err)
	}
	return rep, nil
}
