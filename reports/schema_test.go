// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"skleak/internal/testkit"
	"skleak/record"
)

// schemaFile is the published schema of a report (JSON Schema 2020-12).
const schemaFile = "../docs/report.schema.json"

// schemaMaker makes a schema of Go types. Keys that are always there are required;
// others are allowed, since keys may be added.
type schemaMaker struct {
	defs     map[string]any
	comments map[string]string
}

func makeSchema(t *testing.T) string {
	t.Helper()
	m := schemaMaker{defs: map[string]any{}, comments: fieldComments(t)}
	root := map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:skleak:report:1",
		"title": "A report of skleak", "description": "What skleak run --json prints; docs/report.md tells it at length. Keys may be added.",
		"$ref": m.of(reflect.TypeFor[record.Report]())["$ref"], "$defs": m.defs,
	}
	text, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + "\n"
}

// fieldComments are the comments of package record, by type and field.
func fieldComments(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../record/*.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if st, ok := spec.Type.(*ast.StructType); ok {
				for _, f := range st.Fields.List {
					for _, name := range f.Names {
						out[spec.Name.Name+"."+name.Name] = strings.Join(strings.Fields(f.Doc.Text()), " ")
					}
				}
			}
			return true
		})
	}
	return out
}

func (m schemaMaker) of(t reflect.Type) map[string]any {
	switch t {
	case reflect.TypeFor[record.Status]():
		return map[string]any{"enum": words(record.Statuses())}
	case reflect.TypeFor[record.Verdict]():
		return map[string]any{"enum": append(words(record.Verdicts()), "")}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return map[string]any{"anyOf": []any{m.of(t.Elem()), map[string]any{"type": "null"}}}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": m.of(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": m.of(t.Elem())}
	case reflect.Struct:
		m.object(t)
		return map[string]any{"$ref": "#/$defs/" + t.Name()}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	}
	return map[string]any{"type": "integer"}
}

func words[T ~string](list []T) []any {
	var out []any
	for _, w := range list {
		out = append(out, string(w))
	}
	return out
}

func (m schemaMaker) object(t reflect.Type) {
	if m.defs[t.Name()] != nil {
		return
	}
	properties, required := map[string]any{}, []any{}
	object := map[string]any{"type": "object", "properties": properties}
	m.defs[t.Name()] = object
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		of := m.of(f.Type)
		if text := m.comments[t.Name()+"."+f.Name]; text != "" {
			of["description"] = text
		}
		properties[name] = of
		if !strings.Contains(options, "omitempty") {
			required = append(required, name)
		}
	}
	if t.Name() == "Report" {
		properties["schema"] = map[string]any{"const": record.ReportSchema}
	}
	if len(required) > 0 {
		object["required"] = required
	}
}

// TestSchemaIsPublished: the file is what the types give.
func TestSchemaIsPublished(t *testing.T) {
	testkit.Golden(t, schemaFile, makeSchema(t))
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("urn:skleak:report:1", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("urn:skleak:report:1")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestJSONBySchema: what is printed keeps to the schema, and what does not is told.
func TestJSONBySchema(t *testing.T) {
	schema := compiled(t)
	valid := func(text string) error {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(doc)
	}
	whole := sample()
	whole.Runs[0].Results[0].Ledger = &record.Ledger{}
	whole.Shard = &record.Shard{Index: 1, Of: 2}
	for name, rep := range map[string]record.Report{"whole": whole, "none": {Schema: record.ReportSchema}, "no run": {Schema: record.ReportSchema, Runs: []record.Run{{}}}} {
		if err := valid(written(t, "json", rep, Options{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	text := written(t, "json", sample(), Options{})
	for _, c := range []struct{ was, is string }{
		{`"schema": "skleak/1"`, `"schema": "skleak/2"`},
		{`"status": "pass"`, `"status": "passed"`},
		{`"held_bytes": 0`, `"held_bytes": "0"`},
		{`"held_bytes": 0`, `"held_byte": 0`},
		{`"results": [`, `"results": null, "was": [`},
		{`"writable": true`, `"writable": null`},
	} {
		changed := strings.Replace(text, c.was, c.is, 1)
		if changed == text || valid(changed) == nil {
			t.Errorf("%s passes for %s", c.is, c.was)
		}
	}
}
