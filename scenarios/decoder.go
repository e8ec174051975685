// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// maxNodes bounds what aliases can blow up.
const maxNodes = 200_000

// decoder walks a document and remembers where each key's value was.
type decoder struct {
	files   fs.FS
	at      map[string][2]int
	anchors map[string]ast.Node
	nodes   int
}

func newDecoder(files fs.FS) *decoder {
	return &decoder{files: files, at: map[string][2]int{}, anchors: map[string]ast.Node{}}
}

func (d *decoder) mark(path string, n ast.Node) {
	line, col := position(n)
	d.at[path] = [2]int{line, col}
}

// place puts line and column to a KeyError: those of its path, or of the
// nearest thing around it that the file has.
func (d *decoder) place(err error) error {
	var k *KeyError
	if !errors.As(err, &k) {
		return err
	}
	shown := k.Path
	if rest, ok := strings.CutPrefix(shown, "scenarios["); ok {
		_, shown, _ = strings.Cut(rest, "]")
		shown = strings.TrimPrefix(shown, ".")
	}
	for path := k.Path; ; path = path[:max(strings.LastIndexAny(path, ".["), 0)] {
		if at, ok := d.at[path]; ok || path == "" {
			return &placed{max(at[0], 1), max(at[1], 1), wrong(oneLine(shown), k.What, k.Do)}
		}
	}
}

// resolve follows anchors and aliases to the node they stand for.
func (d *decoder) resolve(path string, n ast.Node) (ast.Node, error) {
	d.nodes++
	if d.nodes > maxNodes {
		return nil, wrong(path, fmt.Sprintf("more than %d values", maxNodes), "use fewer aliases, or split the file")
	}
	for range maxNesting {
		switch v := n.(type) {
		case *ast.AnchorNode:
			d.anchors[v.Name.GetToken().Value] = v.Value
			n = v.Value
		case *ast.AliasNode:
			name := v.Value.GetToken().Value
			to, ok := d.anchors[name]
			if !ok {
				return nil, wrong(path, fmt.Sprintf("alias of an anchor %s that is not there", shown(name)), "set the anchor before it, outside itself")
			}
			n = to
		case *ast.TagNode:
			return nil, wrong(path, "a tag", "leave the tag out")
		case nil, *ast.NullNode:
			return nil, wrong(path, "no value", "give one, or leave the key out")
		default:
			return n, nil
		}
	}
	return nil, wrong(path, "aliases of aliases", "write the value out")
}

// word reads a scalar as it is written.
func (d *decoder) word(path string, n ast.Node) (string, error) {
	n, err := d.resolve(path, n)
	if err != nil {
		return "", err
	}
	switch v := n.(type) {
	case *ast.StringNode:
		return v.Value, nil
	case *ast.LiteralNode:
		return strings.TrimSuffix(v.Value.Value, "\n"), nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, nil
	}
	return "", wrong(path, fmt.Sprintf("a %s where one value belongs", shape(n)), "write one value")
}

func shape(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return "mapping"
	case *ast.SequenceNode:
		return "list"
	default:
		return "single value"
	}
}

// isList looks through anchors and aliases without resolving errors.
func (d *decoder) isList(n ast.Node) bool {
	n, err := d.resolve("", n)
	return err == nil && shape(n) == "list"
}

// list calls each for every item of a list.
func (d *decoder) list(path string, n ast.Node, each func(path string, n ast.Node) error) error {
	n, err := d.resolve(path, n)
	if err != nil {
		return err
	}
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		return wrong(path, fmt.Sprintf("a %s where a list belongs", shape(n)), "write a list: [a, b], or lines that begin with \"- \"")
	}
	for i, item := range seq.Values {
		at := index(path, i)
		if item == nil {
			return wrong(path, "an item without a value", "give it one, or take it out")
		}
		d.mark(at, item)
		if err := each(at, item); err != nil {
			return err
		}
	}
	return nil
}

// pair is one key of a mapping with its value.
type pair struct {
	key   string
	value ast.Node
}

// pairs reads the keys of a mapping and marks where they are.
func (d *decoder) pairs(path string, n ast.Node) ([]pair, error) {
	n, err := d.resolve(path, n)
	if err != nil {
		return nil, err
	}
	var values []*ast.MappingValueNode
	switch v := n.(type) {
	case *ast.MappingNode:
		values = v.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{v}
	default:
		return nil, wrong(path, fmt.Sprintf("a %s where a mapping belongs", shape(n)), "write keys with values, like {name: v0}")
	}
	var out []pair
	seen := map[string]bool{}
	for _, v := range values {
		key := v.Key.GetToken().Value
		if s, ok := v.Key.(*ast.StringNode); ok {
			key = s.Value
		}
		at := join(path, key)
		d.mark(at, v.Key)
		if seen[key] {
			return nil, wrong(at, "the key is there twice", "take one out")
		}
		seen[key] = true
		out = append(out, pair{key, v.Value})
	}
	return out, nil
}

// mapping fills fields from a mapping; a key that no field has is an error.
func (d *decoder) mapping(path string, n ast.Node, fields []field) error {
	pairs, err := d.pairs(path, n)
	if err != nil {
		return err
	}
	for _, p := range pairs {
		f, ok := find(fields, p.key)
		if !ok {
			return wrong(join(path, p.key), "unknown key "+shown(p.key), suggest(p.key, keys(fields)))
		}
		at := join(path, p.key)
		if p.value != nil {
			d.mark(at, p.value)
		}
		if err := f.value.decode(d, at, p.value); err != nil {
			return err
		}
	}
	return nil
}

// kind reads the key "kind" of a mapping, which decides what else it may have.
func (d *decoder) kind(path, what string, n ast.Node) (string, error) {
	pairs, err := d.pairs(path, n)
	if err != nil {
		return "", err
	}
	for _, p := range pairs {
		if p.key == "kind" {
			if p.value != nil {
				d.mark(join(path, "kind"), p.value)
			}
			return d.word(join(path, "kind"), p.value)
		}
	}
	return "", wrong(path, what+" without a kind", "add a key kind")
}

func find(fields []field, key string) (field, bool) {
	for _, f := range fields {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

func keys(fields []field) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.key)
	}
	return out
}
