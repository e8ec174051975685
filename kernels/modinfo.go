// SPDX-License-Identifier: GPL-2.0-only

package kernels

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxModinfo bounds the .modinfo section in bytes. The largest of Debian's,
// amdgpu's, has 60 kB.
const maxModinfo = 4 << 20

// modinfo is what a module says of itself (include/linux/moduleinfo of the
// kernel: MODULE_ALIAS, MODULE_SOFTDEP and what modpost adds).
type modinfo struct {
	Name     string
	Release  string
	Depends  []string
	SoftPre  []string
	SoftPost []string
	Aliases  []string
}

// readModinfo reads the .modinfo section of a module's ELF.
func readModinfo(r io.ReaderAt) (modinfo, error) {
	f, err := elf.NewFile(r)
	if err != nil {
		return modinfo{}, fmt.Errorf("not a module: %w", err)
	}
	section := f.Section(".modinfo")
	if section == nil {
		return modinfo{}, errors.New("not a module: it has no .modinfo section")
	}
	if section.Size > maxModinfo || section.FileSize > maxModinfo {
		return modinfo{}, fmt.Errorf(".modinfo has %d bytes; at most %d are read", section.Size, maxModinfo)
	}
	data, err := section.Data()
	if err != nil {
		return modinfo{}, fmt.Errorf(".modinfo: %w", err)
	}
	return parseModinfo(data), nil
}

// parseModinfo reads key=value strings that end in NUL.
func parseModinfo(data []byte) modinfo {
	var info modinfo
	for field := range bytes.SplitSeq(data, []byte{0}) {
		key, value, found := strings.Cut(string(field), "=")
		if !found || value == "" {
			continue
		}
		switch key {
		case "name":
			info.Name = canonical(value)
		case "depends":
			info.Depends = append(info.Depends, names(strings.Split(value, ","))...)
		case "alias":
			info.Aliases = append(info.Aliases, value)
		case "softdep":
			pre, post := parseSoftdep(value)
			info.SoftPre = append(info.SoftPre, pre...)
			info.SoftPost = append(info.SoftPost, post...)
		case "vermagic":
			info.Release, _, _ = strings.Cut(value, " ")
		}
	}
	return info
}

// parseSoftdep reads "pre: a b post: c".
func parseSoftdep(value string) (pre, post []string) {
	var into *[]string
	for word := range strings.FieldsSeq(value) {
		switch word {
		case "pre:":
			into = &pre
		case "post:":
			into = &post
		default:
			if into != nil {
				*into = append(*into, canonical(word))
			}
		}
	}
	return pre, post
}

func names(raw []string) []string {
	var out []string
	for _, name := range raw {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, canonical(name))
		}
	}
	return out
}

// canonical makes '-' and '_' equal, as the kernel does with module names.
func canonical(name string) string { return strings.ReplaceAll(name, "-", "_") }

// parseBuiltinModinfo reads modules.builtin.modinfo: module.key=value strings
// that end in NUL. It gives the aliases of what is built in.
func parseBuiltinModinfo(data []byte) map[string]string {
	aliases := map[string]string{}
	for field := range bytes.SplitSeq(data, []byte{0}) {
		key, value, found := strings.Cut(string(field), "=")
		module, key, dotted := strings.Cut(key, ".")
		if found && dotted && key == "alias" && module != "" && value != "" {
			aliases[canonical(value)] = canonical(module)
		}
	}
	return aliases
}
