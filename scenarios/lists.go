// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"github.com/goccy/go-yaml/ast"
)

// wordList is a list of words, or one word alone.
type wordList[S ~string] struct{ place *[]S }

func words[S ~string](p *[]S) value { return wordList[S]{p} }

func (w wordList[S]) decode(d *decoder, path string, n ast.Node) error {
	if !d.isList(n) {
		word, err := d.word(path, n)
		*w.place = []S{S(word)}
		return err
	}
	return d.list(path, n, func(path string, n ast.Node) error {
		word, err := d.word(path, n)
		*w.place = append(*w.place, S(word))
		return err
	})
}

func (w wordList[S]) encode() (any, bool) {
	var out []string
	for _, s := range *w.place {
		out = append(out, string(s))
	}
	return out, len(out) > 0
}

// numberList is a list of whole numbers.
type numberList struct{ place *[]int }

func numbers(p *[]int) value { return numberList{p} }

func (l numberList) decode(d *decoder, path string, n ast.Node) error {
	return d.list(path, n, func(path string, n ast.Node) error {
		var item int
		err := whole(&item).decode(d, path, n)
		*l.place = append(*l.place, item)
		return err
	})
}

func (l numberList) encode() (any, bool) { return *l.place, len(*l.place) > 0 }

// objectList is a list of mappings.
type objectList[T any, P interface {
	*T
	hasFields
}] struct{ place *[]T }

func objects[T any, P interface {
	*T
	hasFields
}](p *[]T) value {
	return objectList[T, P]{p}
}

func (l objectList[T, P]) decode(d *decoder, path string, n ast.Node) error {
	return d.list(path, n, func(path string, n ast.Node) error {
		var item T
		err := d.mapping(path, n, P(&item).fields())
		*l.place = append(*l.place, item)
		return err
	})
}

func (l objectList[T, P]) encode() (any, bool) {
	var out []any
	for i := range *l.place {
		out = append(out, encodeFields(P(&(*l.place)[i]).fields()))
	}
	return out, len(out) > 0
}

// optionalMapping is a mapping that may be absent as a whole.
type optionalMapping[T any, P interface {
	*T
	hasFields
}] struct{ place **T }

func optionalObject[T any, P interface {
	*T
	hasFields
}](p **T) value {
	return optionalMapping[T, P]{p}
}

func (o optionalMapping[T, P]) decode(d *decoder, path string, n ast.Node) error {
	item := new(T)
	*o.place = item
	return d.mapping(path, n, P(item).fields())
}

func (o optionalMapping[T, P]) encode() (any, bool) {
	if *o.place == nil {
		return nil, false
	}
	return encodeFields(P(*o.place).fields()), true
}
