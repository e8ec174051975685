// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

const maxInt32 = 1<<31 - 1

// KeyError says what is wrong with the value of one key.
type KeyError struct {
	// Path is where: "links[1].peer.mtu"; relative to what was checked.
	Path string
	// What is wrong, Do what to do about it; neither ends with a full stop.
	What string
	Do   string
}

// Error implements error, on one line.
func (e *KeyError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("%s; %s", e.What, e.Do)
	}
	return fmt.Sprintf("%s: %s; %s", e.Path, e.What, e.Do)
}

func wrong(path, what, do string) *KeyError { return &KeyError{Path: path, What: what, Do: do} }

// under puts the path of a KeyError below prefix.
func under(prefix string, err error) error {
	var k *KeyError
	if !errors.As(err, &k) {
		return err
	}
	return &KeyError{Path: join(prefix, k.Path), What: k.What, Do: k.Do}
}

func join(prefix, path string) string {
	switch {
	case prefix == "":
		return path
	case path == "" || strings.HasPrefix(path, "["):
		return prefix + path
	default:
		return prefix + "." + path
	}
}

func index(key string, i int) string { return fmt.Sprintf("%s[%d]", key, i) }

// named is the list of one name, empty when the name is.
func named(name string) []string {
	if name == "" {
		return nil
	}
	return []string{name}
}

func needParent(kind, parent string) error {
	if parent == "" {
		return wrong("parent", kind+" without a parent", "name the link it is built upon")
	}
	return nil
}

// oneOf checks a word against the words allowed; "" among them stands for the default.
func oneOf[S ~string](key, what string, got S, allowed ...S) error {
	if slices.Contains(allowed, got) {
		return nil
	}
	var words []string
	for _, a := range allowed {
		if a != "" {
			words = append(words, string(a))
		}
	}
	return wrong(key, fmt.Sprintf("unknown %s %q", what, string(got)), suggest(string(got), words))
}

func notNegative(key string, n int) error {
	if n < 0 || n > maxInt32 {
		return wrong(key, fmt.Sprintf("%s of %d", key, n), "give 1 to 2147483647, or leave it out")
	}
	return nil
}

// within is false for NaN.
func within(x, low, high float64) bool { return x >= low && x <= high }

// tunnelEnds checks the addresses of a tunnel, each of which may be left out.
func tunnelEnds(local, remote string) error {
	if local != "" && !isAddress(local) {
		return wrong("local", fmt.Sprintf("%q is no IP address", local), "write it like 10.9.9.1")
	}
	if remote != "" && !isAddress(remote) {
		return wrong("remote", fmt.Sprintf("%q is no IP address", remote), "write it like 10.9.9.2")
	}
	return nil
}

func isAddress(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Zone() == ""
}
