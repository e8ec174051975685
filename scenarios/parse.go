// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a file. The parser is recursive, so what nests is counted before
// it is called.
const (
	// MaxFileBytes is the longest file of scenarios.
	MaxFileBytes = 1 << 20
	// maxNesting is how deep brackets, and marks on one line, may nest.
	maxNesting = 32
	// maxBlank is how many empty lines may follow each other: the scanner's time
	// grows with the square of their number.
	maxBlank = 64
	// maxIndent is the deepest indentation, which bounds nesting by lines.
	maxIndent = 200
)

// readAll reads a file whole and refuses what cannot be YAML.
func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxFileBytes+1))
	if err != nil {
		return nil, badAt(1, 1, fmt.Sprintf("reading stopped: %v", err), "check the file")
	}
	if len(data) > MaxFileBytes {
		return nil, badAt(1, 1, fmt.Sprintf("longer than %d bytes", MaxFileBytes), "split the file")
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if at := noText(data); at >= 0 {
		line := 1 + bytes.Count(data[:at], []byte("\n"))
		col := at - bytes.LastIndexByte(data[:at], '\n')
		return nil, badAt(line, col, "bytes that are no text", "give a YAML file of scenarios")
	}
	return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")), nil
}

// noText is the offset of the first byte that no text has; -1 for none.
func noText(data []byte) int {
	if !utf8.Valid(data) {
		return len(data) - len(bytes.TrimLeftFunc(data, func(r rune) bool { return r != utf8.RuneError }))
	}
	return bytes.IndexFunc(data, func(r rune) bool {
		return unicode.IsControl(r) && !strings.ContainsRune("\n\r\t", r)
	})
}

// parse turns the text into one document's top node.
func parse(data []byte) (ast.Node, error) {
	if err := checkLines(data); err != nil {
		return nil, err
	}
	tokens := lexer.Tokenize(string(data))
	if err := checkNesting(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, syntaxError(err)
	}
	return oneDocument(file)
}

func oneDocument(file *ast.File) (ast.Node, error) {
	var top ast.Node
	for _, doc := range file.Docs {
		body := doc.Body
		if body == nil || body.Type() == ast.CommentType || body.Type() == ast.DirectiveType {
			continue
		}
		if top != nil {
			line, col := position(body)
			return nil, badAt(line, col, "a second document", "put its scenarios into the first one's list, or into another file")
		}
		top = body
	}
	if top == nil || top.Type() == ast.NullType {
		return nil, badAt(1, 1, "no scenarios: the file is empty", "begin with \"scenarios:\" and a list")
	}
	return top, nil
}

// checkLines bounds what would take the scanner long, or nest by indentation.
func checkLines(data []byte) error {
	blank := 0
	for i, line := range bytes.Split(data, []byte("\n")) {
		text := bytes.TrimLeft(line, " ")
		if blank++; len(text) > 0 {
			blank = 0
		}
		indent := len(line) - len(text)
		if indent > maxIndent && len(text) > 0 {
			return badAt(i+1, indent+1, fmt.Sprintf("indented by more than %d", maxIndent), "nest less")
		}
		if tab := bytes.IndexByte(line, '\t'); tab >= 0 {
			return badAt(i+1, tab+1, "a tab", "use spaces")
		}
		if blank > maxBlank {
			return badAt(i+1, 1, fmt.Sprintf("more than %d empty lines", maxBlank), "take some out")
		}
	}
	return nil
}

// checkNesting bounds what would make the parser recurse.
func checkNesting(tokens token.Tokens) error {
	brackets, marks, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, marks = t.Position.Line, 0
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			brackets++
		case token.MappingEndType, token.SequenceEndType:
			brackets--
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType, token.DirectiveType:
			marks++
		}
		if brackets > maxNesting || marks > maxNesting {
			return badAt(t.Position.Line, t.Position.Column, fmt.Sprintf("nested deeper than %d", maxNesting), "nest less")
		}
	}
	return nil
}

func syntaxError(err error) error {
	var y yaml.Error
	if !errors.As(err, &y) || y.GetToken() == nil {
		return badAt(1, 1, "broken YAML: "+oneLine(err.Error()), "mend it")
	}
	p := y.GetToken().Position
	return badAt(p.Line, p.Column, "broken YAML: "+oneLine(y.GetMessage()), "mend the line or the one before it")
}

// position is a node's line and column, both from 1.
func position(n ast.Node) (line, col int) {
	// NB: the token of a mapping without brackets is its first colon.
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return position(m.Values[0].Key)
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return 1, 1
	}
	return max(t.Position.Line, 1), max(t.Position.Column, 1)
}

// placed is an error at a place in the file.
type placed struct {
	line, col int
	err       error
}

func badAt(line, col int, what, do string) error {
	return &placed{line, col, wrong("", what, do)}
}

func (p *placed) Error() string { return fmt.Sprintf("%d:%d: %v", p.line, p.col, p.err) }

func (p *placed) Unwrap() error { return p.err }

// oneLine makes a text fit for a message: one line, of bounded length, without
// anything a terminal would act upon.
func oneLine(s string) string {
	const longest = 200
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	if r := []rune(s); len(r) > longest {
		s = string(r[:longest]) + "..."
	}
	return s
}

// shown quotes a word of the file for a message.
func shown(word string) string {
	const longest = 40
	if r := []rune(word); len(r) > longest {
		word = string(r[:longest]) + "..."
	}
	return fmt.Sprintf("%q", word)
}
