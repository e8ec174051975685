// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// maxRaw bounds the raw part of a sample (perf_event_header.size is a u16).
const maxRaw = 1 << 16

// Format is a tracepoint as tracefs describes it (events/*/*/format). Offsets,
// ids and fields differ between kernels.
type Format struct {
	Name string
	// ID is what perf_event_attr.config and a sample's common_type hold.
	ID     uint16
	Fields []Field
	// Print is the print fmt line; it names the values of enums.
	Print string
}

// Field is one field of a tracepoint's record.
type Field struct {
	Name string
	// Offset and Size are bytes within the record.
	Offset, Size int
	Signed       bool
	// DataLoc: the field holds offset and length of a string further on
	// (__data_loc).
	DataLoc bool
}

// ParseFormat reads a format file.
func ParseFormat(text string) (Format, error) {
	var f Format
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "name:"):
			f.Name = strings.TrimSpace(line[len("name:"):])
		case strings.HasPrefix(line, "ID:"):
			id, err := strconv.ParseUint(strings.TrimSpace(line[len("ID:"):]), 10, 16)
			if err != nil {
				return Format{}, fmt.Errorf("read the format of %s: id: %w", f.Name, err)
			}
			f.ID = uint16(id)
		case strings.HasPrefix(line, "field:"):
			field, err := parseField(line)
			if err != nil {
				return Format{}, fmt.Errorf("read the format of %s: %w", f.Name, err)
			}
			f.Fields = append(f.Fields, field)
		case strings.HasPrefix(line, "print fmt:"):
			f.Print = line[len("print fmt:"):]
		}
	}
	if f.Name == "" || f.ID == 0 || len(f.Fields) == 0 {
		return Format{}, errors.New("read a tracepoint's format: no name, no id or no fields")
	}
	return f, nil
}

// parseField reads "field:void * skbaddr;	offset:8;	size:8;	signed:0;".
func parseField(line string) (Field, error) {
	var f Field
	for part := range strings.SplitSeq(line, ";") {
		key, value, ok := strings.Cut(strings.TrimSpace(part), ":")
		if !ok {
			continue
		}
		if key == "field" {
			f.DataLoc = strings.HasPrefix(value, "__data_loc ")
			f.Name = fieldName(value)
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > maxRaw {
			return Field{}, fmt.Errorf("field %s: %s of %q", f.Name, key, value)
		}
		switch key {
		case "offset":
			f.Offset = n
		case "size":
			f.Size = n
		case "signed":
			f.Signed = n == 1
		}
	}
	if f.Name == "" || f.Size == 0 {
		return Field{}, fmt.Errorf("field without a name or a size: %q", line)
	}
	return f, nil
}

// fieldName takes the name from a declaration in C: "u8 lladdr[32]" is lladdr.
func fieldName(declaration string) string {
	if i := strings.LastIndexAny(declaration, " *"); i >= 0 {
		declaration = declaration[i+1:]
	}
	name, _, _ := strings.Cut(declaration, "[")
	return name
}

// field looks a field up by name; ok is false where this kernel lacks it.
func (f Format) field(name string) (Field, bool) {
	for _, one := range f.Fields {
		if one.Name == name {
			return one, true
		}
	}
	return Field{}, false
}

// Symbols are the names a print fmt gives to numbers:
// `{ 58, "NEIGH_FAILED" }` of __print_symbolic.
func (f Format) Symbols() map[int64]string {
	names := map[int64]string{}
	rest := f.Print
	for {
		_, after, ok := strings.Cut(rest, "{ ")
		if !ok {
			return names
		}
		entry, tail, ok := strings.Cut(after, "}")
		if !ok {
			return names
		}
		rest = tail
		number, name, ok := strings.Cut(entry, ",")
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 0, 64)
		if err != nil {
			continue
		}
		names[n] = strings.Trim(strings.TrimSpace(name), `"`)
	}
}
