// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

const kallsymsPath = "/proc/kallsyms"

// resolve names the functions that addresses are in. One that cannot be named
// keeps its number.
func resolve(addresses []uint64) map[uint64]string {
	if len(addresses) == 0 {
		return nil
	}
	f, err := os.Open(kallsymsPath)
	if err != nil {
		return nil
	}
	defer func() { _ = f.Close() }()
	names, err := findSymbols(f, addresses)
	if err != nil {
		return nil
	}
	return names
}

// findSymbols reads "ffffffff81e745f0 t neigh_invalidate [module]" lines, in
// any order, and keeps for each address the last function that begins before it.
func findSymbols(r io.Reader, addresses []uint64) (map[uint64]string, error) {
	wanted := slices.Clone(addresses)
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	best := make([]symbol, len(wanted))
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		at, name, ok := parseSymbol(lines.Bytes())
		if !ok {
			continue
		}
		// Each symbol goes to the first address behind it.
		i, _ := slices.BinarySearch(wanted, at)
		if i < len(wanted) && best[i].at <= at {
			best[i].at, best[i].name = at, append(best[i].name[:0], name...)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", kallsymsPath, err)
	}
	out := map[uint64]string{}
	for i, address := range wanted {
		if i > 0 && best[i].at < best[i-1].at {
			best[i] = best[i-1]
		}
		if best[i].at != 0 {
			out[address] = functionName(string(best[i].name))
		}
	}
	return out, nil
}

type symbol struct {
	at   uint64
	name []byte
}

// parseSymbol is false for what is no function, and for the zeros that
// kernel.kptr_restrict gives.
func parseSymbol(line []byte) (at uint64, name []byte, ok bool) {
	const digits = 16
	if len(line) < digits+4 || (line[digits+1]|0x20 != 't' && line[digits+1]|0x20 != 'w') {
		return 0, nil, false
	}
	for _, c := range line[:digits] {
		v := strings.IndexByte("0123456789abcdef", c)
		if v < 0 {
			return 0, nil, false
		}
		at = at<<4 | uint64(v)
	}
	return at, line[digits+3:], at != 0
}

// functionName drops the module, and what the compiler adds to a name.
func functionName(rest string) string {
	name, _, _ := strings.Cut(rest, "\t")
	name, _, _ = strings.Cut(name, " ")
	name, _, _ = strings.Cut(name, ".")
	return name
}
