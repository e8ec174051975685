// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Anonymise gives names, hardware addresses and IP addresses others, the same ones
// everywhere in the facts. Networks stay networks, with the lengths they had, and a
// network inside another stays inside it; the first three bits of an address and
// the numbers of VLANs, VXLANs and ports stay. What links are called says their kind.
func Anonymise(f Facts) (Facts, error) {
	var key [32]byte
	for range keysTried {
		if _, err := rand.Read(key[:]); err != nil {
			return Facts{}, fmt.Errorf("make a key to anonymise with: %w", err)
		}
		a := anonymiser{key: key, nets: networks(f), hosts: map[netip.Prefix][]netip.Addr{}, macs: map[string]string{}, names: map[string]string{}}
		out := a.facts(f)
		if !a.unusable {
			return out, nil
		}
	}
	return Facts{}, fmt.Errorf("no key of %d gives addresses that can all be used; leave --anonymise out", keysTried)
}

// keysTried: a key fails where it makes an address begin with 0 or 127.
const keysTried = 1000

type anonymiser struct {
	key [32]byte
	// nets are the networks of the links, the longest first.
	nets  []netip.Prefix
	hosts map[netip.Prefix][]netip.Addr
	macs  map[string]string
	names map[string]string
	// unusable: an address came out that no host may have.
	unusable bool
}

// networks are those of the links' addresses.
func networks(f Facts) []netip.Prefix {
	var out []netip.Prefix
	for _, l := range f.Links {
		for _, a := range v4Addresses(l) {
			if p := netip.MustParsePrefix(a).Masked(); !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b netip.Prefix) int { return b.Bits() - a.Bits() })
	return out
}

func (a *anonymiser) facts(f Facts) Facts {
	out := f
	out.Links, out.Neighbours = slices.Clone(f.Links), slices.Clone(f.Neighbours)
	out.Routes, out.Rules, out.Unread = slices.Clone(f.Routes), slices.Clone(f.Rules), nil
	count := map[string]int{}
	for i := range out.Links {
		l := &out.Links[i]
		kind := firstOf(printable(l.Kind), "card")
		count[kind]++
		name := fmt.Sprintf("%.8s%d", kind, count[kind])
		if l.Loopback {
			name = l.Name
		}
		a.names[l.Name] = name
		l.Name, l.MAC = name, a.mac(l.MAC)
		l.Local, l.Remote = a.address(l.Local), a.address(l.Remote)
		addresses := l.Addresses
		l.Addresses = nil
		for _, p := range addresses {
			l.Addresses = append(l.Addresses, a.prefix(p))
		}
	}
	for i := range out.Neighbours {
		n := &out.Neighbours[i]
		n.Address, n.LLAddr = a.address(n.Address), a.mac(n.LLAddr)
	}
	for i := range out.Routes {
		r := &out.Routes[i]
		r.To, r.Via = a.network(r.To), a.address(r.Via)
	}
	for i := range out.Rules {
		r := &out.Rules[i]
		r.Where, r.Link = fmt.Sprintf("rule %d", i+1), a.name(r.Link)
	}
	for _, u := range f.Unread {
		what, _, _ := strings.Cut(u, ":")
		out.Unread = append(out.Unread, what)
	}
	return out
}

// name of a link that is not there could be anybody's.
func (a *anonymiser) name(of string) string {
	if of == "" {
		return ""
	}
	if name, ok := a.names[of]; ok {
		return name
	}
	return "gone"
}

func (a *anonymiser) mac(of string) string {
	if unicastMAC(of) == "" {
		return ""
	}
	if a.macs[of] == "" {
		n := len(a.macs) + 1
		a.macs[of] = fmt.Sprintf("02:00:00:%02x:%02x:%02x", byte(n>>16), byte(n>>8), byte(n))
	}
	return a.macs[of]
}

// address is one of IPv4, with a port where it has one; any other is left out.
func (a *anonymiser) address(of string) string {
	if p, err := netip.ParseAddrPort(of); err == nil && p.Addr().Is4() {
		return netip.AddrPortFrom(a.host(p.Addr()), p.Port()).String()
	}
	ip, err := netip.ParseAddr(of)
	if err != nil || !ip.Is4() {
		return ""
	}
	return a.host(ip).String()
}

func (a *anonymiser) prefix(of string) string {
	p, err := netip.ParsePrefix(of)
	if err != nil || !p.Addr().Is4() {
		return ""
	}
	return netip.PrefixFrom(a.host(p.Addr()), p.Bits()).String()
}

func (a *anonymiser) network(of string) string {
	p, err := netip.ParsePrefix(of)
	if err != nil || !p.Addr().Is4() || p.Bits() == 0 {
		return of
	}
	return netip.PrefixFrom(a.scramble(p.Addr()), p.Bits()).Masked().String()
}

// host is another address: its network's is scrambled, and in that hosts are
// numbered as they come.
func (a *anonymiser) host(ip netip.Addr) netip.Addr {
	if ip.IsMulticast() || ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast() {
		return ip
	}
	out := a.scramble(ip)
	i := slices.IndexFunc(a.nets, func(p netip.Prefix) bool { return p.Contains(ip) })
	const widest, narrowest = 8, 30
	if i >= 0 && a.nets[i].Bits() >= widest && a.nets[i].Bits() <= narrowest {
		net := a.nets[i]
		n := slices.Index(a.hosts[net], ip)
		if n < 0 {
			n = len(a.hosts[net])
			a.hosts[net] = append(a.hosts[net], ip)
		}
		base := number4(netip.PrefixFrom(out, net.Bits()).Masked().Addr())
		out = address4(base + uint32(n) + 1)
	}
	if first := out.As4()[0]; first == 0 || first == 127 {
		a.unusable = true
	}
	return out
}

// scramble flips each bit but the first three by a hash of those before it, so that
// two addresses have as many bits in common as before.
func (a *anonymiser) scramble(ip netip.Addr) netip.Addr {
	const kept = 3
	was := number4(ip)
	is := was
	for bit := kept; bit < 32; bit++ {
		var text [37]byte
		copy(text[:], a.key[:])
		binary.BigEndian.PutUint32(text[32:], was>>(32-bit))
		text[36] = byte(bit)
		is ^= uint32(sha256.Sum256(text[:])[0]&1) << (31 - bit)
	}
	return address4(is)
}

func number4(ip netip.Addr) uint32 {
	b := ip.As4()
	return binary.BigEndian.Uint32(b[:])
}

func address4(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b)
}
