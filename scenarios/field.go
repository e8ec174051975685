// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// field ties one key of a mapping to a place in a Scenario. One table of them
// serves decoding, encoding and the list of keys that are allowed.
type field struct {
	key   string
	value value
}

// value is a place in a Scenario and its form in a file.
type value interface {
	// decode fills the place from a node; path is the key's, for errors.
	decode(d *decoder, path string, n ast.Node) error
	// encode returns the form in a file; false leaves the key out.
	encode() (any, bool)
}

// hasFields is what a mapping describes.
type hasFields interface{ fields() []field }

// scalar is a value written as one word.
type scalar[T comparable] struct {
	place *T
	parse func(string) (T, error)
	form  func(T) any
	// example tells the reader what to write.
	example string
}

func (s scalar[T]) decode(d *decoder, path string, n ast.Node) error {
	got, err := s.read(d, path, n)
	if err != nil {
		return err
	}
	*s.place = got
	return nil
}

func (s scalar[T]) read(d *decoder, path string, n ast.Node) (T, error) {
	var none T
	word, err := d.word(path, n)
	if err != nil {
		return none, err
	}
	got, err := s.parse(word)
	if err != nil {
		return none, wrong(path, fmt.Sprintf("%s: %v", shown(word), err), "write "+s.example)
	}
	return got, nil
}

func (s scalar[T]) encode() (any, bool) {
	var zero T
	if *s.place == zero {
		return nil, false
	}
	return s.form(*s.place), true
}

// optional is a scalar whose absence differs from its zero.
type optional[T comparable] struct {
	place  **T
	scalar scalar[T]
}

func (o optional[T]) decode(d *decoder, path string, n ast.Node) error {
	got, err := o.scalar.read(d, path, n)
	if err != nil {
		return err
	}
	*o.place = &got
	return nil
}

func (o optional[T]) encode() (any, bool) {
	if *o.place == nil {
		return nil, false
	}
	return o.scalar.form(**o.place), true
}

func plain[T any](v T) any { return v }

func text[S ~string](p *S) value {
	return scalar[S]{p, func(s string) (S, error) { return S(s), nil }, func(s S) any { return string(s) }, "a word"}
}

// wholeFrom is a whole number that a file may not give below low, where the
// place's zero means that the key is not there.
func wholeFrom(p *int, low int) value {
	parse := func(s string) (int, error) {
		n, err := parseWhole(s)
		if err == nil && n < low {
			err = fmt.Errorf("it is under %d", low)
		}
		return n, err
	}
	return scalar[int]{p, parse, plain[int], fmt.Sprintf("a whole number from %d up", low)}
}

func whole(p *int) value { return scalar[int]{p, parseWhole, plain[int], "a whole number"} }

func optionalWhole(p **int) value {
	return optional[int]{p, scalar[int]{nil, parseWhole, plain[int], "a whole number"}}
}

func number(p *float64) value {
	form := func(f float64) any { return strconv.FormatFloat(f, 'g', -1, 64) }
	return scalar[float64]{p, parseNumber, form, "a number"}
}

func truth(p *bool) value { return scalar[bool]{p, parseTruth, plain[bool], "true or false"} }

func size(p *int) value {
	return scalar[int]{p, ParseSize, plain[int], "bytes like 1500, 10kb or 64MB"}
}

func optionalSize(p **int) value {
	return optional[int]{p, scalar[int]{nil, ParseSize, plain[int], "bytes like 1500, 10kb or 64MB"}}
}

func bitrate(p *uint64) value {
	form := func(n uint64) any { return strconv.FormatUint(n, 10) + "bit" }
	return scalar[uint64]{p, ParseBitrate, form, "bits per second like 8bit, 100kbit or 1mbit"}
}

const spanExample = "a duration like 500ms, 10s or 1m30s"

func spanForm(d time.Duration) any { return d.String() }

func span(p *time.Duration) value {
	return scalar[time.Duration]{p, parseSpan, spanForm, spanExample}
}

// longSpan is a span that a file may not give as nothing.
func longSpan(p *time.Duration) value {
	parse := func(s string) (time.Duration, error) {
		d, err := parseSpan(s)
		if err == nil && d <= 0 {
			err = errors.New("it is no time at all")
		}
		return d, err
	}
	return scalar[time.Duration]{p, parse, spanForm, spanExample}
}

func optionalSpan(p **time.Duration) value {
	return optional[time.Duration]{p, scalar[time.Duration]{nil, parseSpan, spanForm, spanExample}}
}

// mapping is a value with keys of its own.
type mapping struct{ place hasFields }

func object(p hasFields) value { return mapping{p} }

func (m mapping) decode(d *decoder, path string, n ast.Node) error {
	return d.mapping(path, n, m.place.fields())
}

func (m mapping) encode() (any, bool) {
	form := encodeFields(m.place.fields())
	return form, len(form) > 0
}

func encodeFields(fields []field) yaml.MapSlice {
	out := yaml.MapSlice{}
	for _, f := range fields {
		if v, ok := f.value.encode(); ok {
			out = append(out, yaml.MapItem{Key: f.key, Value: v})
		}
	}
	return out
}
