// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"skleak/record"
)

// linkList is the list of links: one flat mapping each, whose kind decides
// which keys it may have.
type linkList struct{ place *[]Link }

func (v linkList) decode(d *decoder, path string, n ast.Node) error {
	return d.list(path, n, func(path string, n ast.Node) error {
		name, err := d.kind(path, "link", n)
		if err != nil {
			return err
		}
		options, ok := optionsOf(linkKinds(), name)
		if !ok {
			return wrong(join(path, "kind"), "unknown kind of link "+shown(name), suggest(name, namesOf(linkKinds())))
		}
		link := Link{Options: options}
		err = d.mapping(path, n, link.fields())
		*v.place = append(*v.place, link)
		return err
	})
}

func (v linkList) encode() (any, bool) {
	var out []any
	for i := range *v.place {
		out = append(out, encodeFields((*v.place)[i].fields()))
	}
	return out, len(out) > 0
}

func (l *Link) fields() []field {
	kind := l.Kind()
	common := l.Common.fields()
	fields := append([]field{common[0], {"kind", text(&kind)}}, common[1:]...)
	return append(fields, l.Options.fields()...)
}

// qdiscValue is a qdisc, whose kind decides which keys it may have.
type qdiscValue struct{ place **Qdisc }

func (v qdiscValue) decode(d *decoder, path string, n ast.Node) error {
	name, err := d.kind(path, "qdisc", n)
	if err != nil {
		return err
	}
	options, ok := optionsOf(qdiscKinds(), name)
	if !ok {
		return wrong(join(path, "kind"), "unknown kind of qdisc "+shown(name), suggest(name, namesOf(qdiscKinds())))
	}
	*v.place = &Qdisc{Options: options}
	return d.mapping(path, n, (*v.place).fields())
}

func (v qdiscValue) encode() (any, bool) {
	if *v.place == nil {
		return nil, false
	}
	return encodeFields((*v.place).fields()), true
}

func (q *Qdisc) fields() []field {
	kind := q.Kind()
	return append([]field{{"kind", text(&kind)}}, q.Options.fields()...)
}

// knownValue is a defect known upstream.
type knownValue struct{ place **record.Known }

func knownFields(k *record.Known) []field {
	return []field{
		{"verdict", text(&k.Verdict)},
		{"holder", text(&k.Holder)},
		{"fixed_by", text(&k.FixedBy)},
		{"cve", text(&k.CVE)},
		{"fixed_in", words(&k.FixedIn)},
		{"kernels", words(&k.Kernels)},
	}
}

func (v knownValue) decode(d *decoder, path string, n ast.Node) error {
	*v.place = &record.Known{}
	return d.mapping(path, n, knownFields(*v.place))
}

func (v knownValue) encode() (any, bool) {
	if *v.place == nil {
		return nil, false
	}
	return encodeFields(knownFields(*v.place)), true
}

// payloadValue is bytes given as hex, or as the name of a file.
type payloadValue struct{ place *[]byte }

func (v payloadValue) decode(d *decoder, path string, n ast.Node) error {
	given, err := d.pairs(path, n)
	if err != nil {
		return err
	}
	var digits, file string
	if err := d.mapping(path, n, []field{{"hex", text(&digits)}, {"file", text(&file)}}); err != nil {
		return err
	}
	if len(given) != 1 {
		return wrong(path, "a payload needs one of hex and file", "write {hex: \"00ff\"} or {file: name}")
	}
	if given[0].key == "hex" {
		return v.fromHex(join(path, "hex"), digits)
	}
	return v.fromFile(join(path, "file"), file, d.files)
}

func (v payloadValue) fromHex(path, digits string) error {
	data, err := hex.DecodeString(strings.NewReplacer(" ", "", "\n", "", ":", "").Replace(digits))
	if err != nil {
		return wrong(path, shown(digits)+" is not hex", "write pairs of 0 to 9 and a to f, in quotes")
	}
	*v.place = data
	return nil
}

func (v payloadValue) fromFile(path, file string, files fs.FS) (err error) {
	if files == nil {
		return wrong(path, "no directory to find "+shown(file)+" in", "give the payload as hex")
	}
	// NB: asked before opening, since opening a pipe would wait for its writer.
	if info, err := fs.Stat(files, file); err != nil {
		return wrong(path, oneLine(err.Error()), "name a file beside the file of scenarios, or below it")
	} else if !info.Mode().IsRegular() {
		return wrong(path, shown(file)+" is no regular file", "name a file")
	}
	f, err := files.Open(file)
	if err != nil {
		return wrong(path, oneLine(err.Error()), "check the file")
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	data, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return wrong(path, oneLine(err.Error()), "check the file")
	}
	if data == nil {
		data = []byte{}
	}
	*v.place = data
	return nil
}

func (v payloadValue) encode() (any, bool) {
	if *v.place == nil {
		return nil, false
	}
	return yaml.MapSlice{{Key: "hex", Value: hex.EncodeToString(*v.place)}}, true
}
