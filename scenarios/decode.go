// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"skleak/record/foreign"
)

// Decode reads a file of scenarios; name is what errors call it. A payload must
// be given as hex: it opens no file.
//
// Every error is one line that says where, what is wrong and what to do:
//
//	mine.yaml:4:31: links[0].mtu: mtu of 12; give 68 to 65535
//
// It is a *FileError and unwraps to a *KeyError. Input over MaxFileBytes is
// refused.
func Decode(name string, r io.Reader) ([]Scenario, error) { return DecodeFS(name, r, nil) }

// DecodeFS is Decode for scenarios whose payloads may be in files; files is the
// directory of the file of scenarios.
func DecodeFS(name string, r io.Reader, files fs.FS) ([]Scenario, error) {
	out, err := decodeFile(r, files)
	if err != nil {
		return nil, &FileError{Name: name, err: err}
	}
	return out, nil
}

// ReadFile is DecodeFS for the file at path, which may come from elsewhere (see
// package foreign), and the directory it is in: a payload's file lies there or
// below, and no link leads out.
func ReadFile(ctx context.Context, path string) (list []Scenario, err error) {
	data, err := foreign.Read(ctx, path, MaxFileBytes)
	if err != nil {
		return nil, fmt.Errorf("file of scenarios: %w", err)
	}
	dir, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("open the folder of %s: %w", oneLineName(path), err)
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	return DecodeFS(path, bytes.NewReader(data), dir.FS())
}

// FileError is what is wrong with a file of scenarios. It wraps a *KeyError.
type FileError struct {
	// Name is the file's.
	Name string
	err  error
}

// Error implements error, on one line.
func (e *FileError) Error() string { return oneLineName(e.Name) + ":" + e.err.Error() }

// Unwrap returns the *KeyError.
func (e *FileError) Unwrap() error {
	var k *KeyError
	if errors.As(e.err, &k) {
		return k
	}
	return e.err
}

func oneLineName(name string) string {
	return strings.NewReplacer("\n", " ", "\r", " ", "\x1b", " ").Replace(name)
}

func decodeFile(r io.Reader, files fs.FS) ([]Scenario, error) {
	data, err := readAll(r)
	if err != nil {
		return nil, err
	}
	top, err := parse(data)
	if err != nil {
		return nil, err
	}
	return decodeTop(top, files)
}

func decodeTop(top ast.Node, files fs.FS) ([]Scenario, error) {
	d := newDecoder(files)
	d.mark("", top)
	list := scenarioList{}
	if err := d.mapping("", top, list.fields()); err != nil {
		return nil, d.place(err)
	}
	if len(list.all) == 0 {
		return nil, d.place(wrong("scenarios", "no scenarios", "begin with \"scenarios:\" and a list"))
	}
	seen := map[string]bool{}
	for i, s := range list.all {
		err := s.check()
		if err == nil && seen[s.Name] {
			err = wrong("name", fmt.Sprintf("a second scenario %s", s.Name), "name it otherwise")
		}
		if err != nil {
			return nil, d.place(under(index("scenarios", i), err))
		}
		seen[s.Name] = true
	}
	return list.all, nil
}

// scenarioList is the top of a file.
type scenarioList struct{ all []Scenario }

func (l *scenarioList) fields() []field { return []field{{"scenarios", scenarioObjects{&l.all}}} }

// scenarioObjects is a list of scenarios, each with the defaults of its traffic.
type scenarioObjects struct{ place *[]Scenario }

func (o scenarioObjects) decode(d *decoder, path string, n ast.Node) error {
	return d.list(path, n, func(path string, n ast.Node) error {
		var s Scenario
		if err := d.mapping(path, n, s.fields()); err != nil {
			return err
		}
		s.setDefaults()
		*o.place = append(*o.place, s)
		return nil
	})
}

func (o scenarioObjects) encode() (any, bool) {
	return objectList[Scenario, *Scenario](o).encode()
}

// setDefaults fills what a file may leave out of a scenario's traffic.
func (s *Scenario) setDefaults() {
	t := &s.Traffic
	setDefault(&t.Socket, SocketHdrIncl)
	setDefault(&t.Packet, Packets()[0])
	setDefault(&t.Style, StylePollFirst)
	setDefault(&t.Interface, InterfaceMulticastIf)
	if t.Count == 0 && t.Duration == 0 {
		t.Count = DefaultCount
	}
	if len(t.Via) > 0 {
		return
	}
	for _, l := range s.Links {
		if l.Netns == "" {
			t.Via = []string{l.Name}
		}
	}
}

func setDefault(place *string, word string) {
	if *place == "" {
		*place = word
	}
}
