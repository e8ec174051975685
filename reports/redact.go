// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Redactor replaces what identifies a machine: addresses, hardware addresses,
// UUIDs and host names. The same is always replaced by the same, and two IPv4
// addresses of one /24 stay in one, so that a reader can still tell hosts apart
// and a scenario still works. It is safe for use from several goroutines.
//
// Left as they are: groups, loopback, unspecified and broadcast addresses, and
// those meant for documentation and for measuring (RFC 5737, RFC 2544, RFC 3849).
type Redactor struct {
	mu      sync.Mutex
	hosts   []hostName
	nets    map[netip.Prefix]int
	six     map[netip.Addr]int
	macs    map[string]int
	uuids   map[string]int
	pattern *regexp.Regexp
}

// hostName is a name in lower case, and what finds it in any.
type hostName struct {
	name    string
	pattern *regexp.Regexp
}

// NewRedactor makes one that also replaces the host names given, and their first
// parts.
func NewRedactor(hosts ...string) *Redactor {
	r := &Redactor{
		nets: map[netip.Prefix]int{}, six: map[netip.Addr]int{}, macs: map[string]int{}, uuids: map[string]int{},
		// The order counts: a hardware address looks like a part of an IPv6 one.
		pattern: regexp.MustCompile(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b` +
			`|\b(?:[0-9a-f]{2}:){5}(?:[0-9a-f]{2}:){0,14}[0-9a-f]{2}\b` +
			`|\b[0-9a-f]{8}:[0-9a-f]{4}\b` +
			`|\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b` +
			`|[0-9a-f]*:(?:[0-9a-f]{0,4}:){1,7}[0-9a-f]{0,4}`),
	}
	for _, h := range hosts {
		short, _, _ := strings.Cut(h, ".")
		for _, name := range []string{h, short} {
			// A name like "vm" would take words of the report with it.
			if len(name) > 2 && !slices.Contains([]string{"localhost", "host", "linux", "debian"}, name) {
				r.hosts = append(r.hosts, hostName{strings.ToLower(name), regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(name) + `\b`)})
			}
		}
	}
	return r
}

// Text is s with everything replaced. A nil Redactor leaves it as it is.
func (r *Redactor) Text(s string) string {
	if r == nil {
		return s
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s = r.words(s)
	for _, host := range r.hosts {
		if containsFold(s, host.name) {
			s = host.pattern.ReplaceAllString(s, "host.example")
		}
	}
	if strings.Contains(s, "hostname=") {
		s = hostOption().ReplaceAllString(s, "${1}host.example")
	}
	return s
}

// containsFold reports whether s has an ASCII name in any case; name is in lower
// case.
func containsFold(s, name string) bool { return strings.Contains(strings.ToLower(s), name) }

// hostOption is where a kernel's command line names its host (systemd(1),
// Documentation/admin-guide/nfs/nfsroot.rst).
func hostOption() *regexp.Regexp {
	return regexp.MustCompile(`\b((?:systemd\.)?hostname=)[^\s"]+`)
}

// words replaces what has a form of its own. Only words that may have one are
// looked at closely: a report has megabytes of others.
func (r *Redactor) words(s string) string {
	var b strings.Builder
	copied := 0
	for at := 0; at < len(s); {
		if n := escapeAt(s[at:]); n > 0 {
			at += n
			continue
		}
		end, telling := wordEnd(s, at)
		if telling {
			b.WriteString(s[copied:at])
			b.WriteString(r.closely(s[at:end]))
			copied = end
		}
		at = max(end, at+1)
	}
	b.WriteString(s[copied:])
	return b.String()
}

// escapeAt is the length of an escape sequence of JSON or Go that s begins with:
// what follows one is no part of the same word.
func escapeAt(s string) int {
	if len(s) < 2 || s[0] != '\\' {
		return 0
	}
	switch s[1] {
	case 'u':
		return min(6, len(s))
	case 'x':
		return min(4, len(s))
	}
	return 2
}

// wordEnd is where the word ends that begins at so many bytes, and whether it has
// the signs of an address or a UUID.
func wordEnd(s string, at int) (end int, telling bool) {
	points, colons, dashes := 0, 0, 0
	for end = at; end < len(s); end++ {
		switch c := s[end]; {
		case c == '.':
			points++
		case c == ':':
			colons++
		case c == '-':
			dashes++
		case !wordy(c):
			return end, telling
		}
		telling = points >= 3 || dashes >= 4 || colons >= 1 && end-at >= 2
	}
	return end, telling
}

// closely replaces what is in one word.
func (r *Redactor) closely(s string) string {
	var b strings.Builder
	at := 0
	for _, m := range r.pattern.FindAllStringIndex(s, -1) {
		word := s[m[0]:m[1]]
		b.WriteString(s[at:m[0]])
		at = m[1]
		if partOfWord(s, m) {
			b.WriteString(word)
			continue
		}
		b.WriteString(r.word(word))
	}
	b.WriteString(s[at:])
	return b.String()
}

// partOfWord reports a match within a longer word, as a version is: 5.10.0.1-amd64.
func partOfWord(s string, m []int) bool {
	before, after := s[:m[0]], s[m[1]:]
	if before != "" && wordy(before[len(before)-1]) || after != "" && wordy(after[0]) {
		return true
	}
	// A fifth number after or before a point.
	return len(after) > 1 && after[0] == '.' && digit(after[1]) ||
		len(before) > 1 && before[len(before)-1] == '.' && digit(before[len(before)-2])
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func wordy(c byte) bool {
	return c == '-' || c == '_' || digit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (r *Redactor) word(word string) string {
	switch {
	case strings.Count(word, "-") == 4:
		return fmt.Sprintf("00000000-0000-0000-0000-%012d", number1(r.uuids, strings.ToLower(word)))
	case strings.Count(word, ":") >= 5 && !strings.Contains(word, "::") && onlyPairs(word):
		return r.mac(strings.ToLower(word))
	}
	if len(word) == len("0100007F:0059") && word[8] == ':' {
		return r.hexed(word)
	}
	addr, err := netip.ParseAddr(word)
	if err != nil {
		return word
	}
	if addr.Is4() {
		return r.four(addr)
	}
	return r.sixth(addr)
}

// onlyPairs tells a hardware address of any length from an IPv6 address.
func onlyPairs(word string) bool {
	for part := range strings.SplitSeq(word, ":") {
		if len(part) != 2 {
			return false
		}
	}
	return true
}

func (r *Redactor) mac(word string) string {
	if strings.Trim(word, "0:") == "" || strings.Trim(word, "f:") == "" {
		return word
	}
	// Groups, what a scenario makes up, and what was replaced already.
	for _, prefix := range []string{"33:33:", "01:00:5e:", "02:00:00:00:", "02:00:5e:10:"} {
		if strings.HasPrefix(word, prefix) {
			return word
		}
	}
	n := number1(r.macs, word)
	return fmt.Sprintf("02:00:5e:10:%02x:%02x", n>>8&0xff, n&0xff)
}

func (r *Redactor) four(addr netip.Addr) string {
	if harmlessAddress(addr) {
		return addr.String()
	}
	whole, err := addr.Prefix(24)
	if err != nil {
		return addr.String()
	}
	n := number1(r.nets, whole)
	host := addr.As4()[3]
	return fmt.Sprintf("198.%d.%d.%d", 18+n>>8&1, n&0xff, host)
}

// hexed is an address and a port as /proc/net/raw has them: the address in the
// machine's order of bytes, which is taken to be little-endian.
func (r *Redactor) hexed(word string) string {
	b, err := hex.DecodeString(word[:8])
	if err != nil {
		return word
	}
	slices.Reverse(b)
	addr, ok := netip.AddrFromSlice(b)
	if !ok {
		return word
	}
	given, err := netip.ParseAddr(r.four(addr))
	if err != nil {
		return word
	}
	b = given.AsSlice()
	slices.Reverse(b)
	return fmt.Sprintf("%X%s", b, word[8:])
}

func (r *Redactor) sixth(addr netip.Addr) string {
	if harmlessAddress(addr) || addr.Is4In6() {
		return addr.String()
	}
	if netip.MustParsePrefix("fe80::5e10:0:0/96").Contains(addr) {
		return addr.String()
	}
	n := number1(r.six, addr.WithZone(""))
	if addr.IsLinkLocalUnicast() {
		return fmt.Sprintf("fe80::5e10:0:%x", n)
	}
	return fmt.Sprintf("2001:db8::%x", n)
}

// harmlessAddress says nothing of anybody's network.
func harmlessAddress(a netip.Addr) bool {
	if a.IsMulticast() || a.IsLoopback() || a.IsUnspecified() || a.Is4() && (a.As4()[0] == 255 || a.As4()[0] == 0) {
		return true
	}
	for _, p := range []string{"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15", "2001:db8::/32"} {
		if netip.MustParsePrefix(p).Contains(a) {
			return true
		}
	}
	return false
}

// number1 is the number of key among those met, from 1.
func number1[K comparable](met map[K]int, key K) int {
	if met[key] == 0 {
		met[key] = len(met) + 1
	}
	return met[key]
}
