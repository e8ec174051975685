// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// maxRules bounds how many rules of a chain are looked at.
const maxRules = 10_000

// readRules reads the rules of nf_tables, those of iptables-nft among them. The
// tables of iptables-legacy are only counted.
func (f *Facts) readRules(*netlink.Handle) error {
	f.lookForLegacy()
	conn, err := nftables.New()
	if err != nil {
		return fmt.Errorf("open nf_tables: %w", err)
	}
	chains, err := conn.ListChains()
	switch {
	case lacksNetfilter(err):
		return nil
	case errors.Is(err, unix.EPERM):
		return fmt.Errorf("%w: it takes CAP_NET_ADMIN", err)
	case err != nil:
		return err
	}
	for _, c := range chains {
		if err := f.readChain(conn, c); err != nil {
			return fmt.Errorf("table %s, chain %s: %w", c.Table.Name, c.Name, err)
		}
	}
	return nil
}

// lacksNetfilter: what a kernel without nf_tables answers.
func lacksNetfilter(err error) bool {
	return errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPROTONOSUPPORT) || errors.Is(err, unix.ENOENT)
}

// lookForLegacy says that there are tables of iptables-legacy.
func (f *Facts) lookForLegacy() {
	text, err := os.ReadFile("/proc/thread-self/net/ip_tables_names")
	if tables := strings.Fields(string(text)); err == nil && len(tables) > 0 {
		f.Unread = append(f.Unread, "rules of iptables-legacy, tables "+strings.Join(tables, ", ")+": `iptables-legacy-save` has them")
	}
}

func (f *Facts) readChain(conn *nftables.Conn, c *nftables.Chain) error {
	rules, err := conn.GetRules(c.Table, c)
	if err != nil {
		return err
	}
	r := chainReader{
		base: Rule{Where: fmt.Sprintf("table %s %s, chain %s", familyName(c.Table.Family), c.Table.Name, c.Name), Hook: hookName(c)},
		name: f.nameOf,
	}
	switch {
	case c.Table.Family == nftables.TableFamilyIPv6:
		return nil
	case c.Table.Family != nftables.TableFamilyIPv4 && c.Table.Family != nftables.TableFamilyINet:
		r.unless = "only packets of family " + familyName(c.Table.Family)
	case c.Hooknum == nil:
		r.unless = "only packets sent there by a jump"
	case c.Type != nftables.ChainTypeFilter:
		r.unless = "a chain of type " + string(c.Type)
	}
	for i, rule := range rules {
		if i < maxRules {
			r.read(rule.Exprs)
		}
	}
	if c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop {
		if r.base.Where += ", policy"; len(rules) > 0 {
			r.unless = "only packets that no rule of the chain takes"
		}
		r.add("", "drop", 0, "")
	}
	f.Rules = append(f.Rules, r.out...)
	return nil
}

func (f *Facts) nameOf(index int) string {
	l, _ := f.link(index)
	return l.Name
}

func familyName(f nftables.TableFamily) string {
	switch f {
	case nftables.TableFamilyIPv4:
		return "ip"
	case nftables.TableFamilyINet:
		return "inet"
	case nftables.TableFamilyARP:
		return "arp"
	case nftables.TableFamilyBridge:
		return "bridge"
	case nftables.TableFamilyNetdev:
		return "netdev"
	}
	return fmt.Sprintf("family %d", f)
}

func hookName(c *nftables.Chain) string {
	if c.Hooknum == nil {
		return ""
	}
	names := []string{"prerouting", "input", "forward", "output", "postrouting", "ingress"}
	if n := int(*c.Hooknum); n < len(names) {
		return names[n]
	}
	return "another hook"
}

// chainReader finds the rules of one chain that may drop, queue or refuse.
type chainReader struct {
	base Rule
	// name is the name of a link by its index.
	name func(int) string
	// unless is what holds for all rules from here on.
	unless string
	out    []Rule
}

func (r *chainReader) add(link, action string, queue int, unless string) {
	rule := r.base
	rule.Link, rule.Action, rule.Queue, rule.Unless = link, action, queue, unless
	if r.unless != "" {
		rule.Unless = r.unless
	}
	r.out = append(r.out, rule)
}

// read takes one rule. Where it lets packets go that a later one would drop, that
// one is about some only.
func (r *chainReader) read(exprs []expr.Any) {
	m := matcher{name: r.name, entering: r.base.Hook == "prerouting" || r.base.Hook == "input"}
	for _, e := range exprs {
		switch o := e.(type) {
		case *expr.Verdict:
			r.end(m, o.Kind)
		case *expr.Queue:
			if o.Total > 1 {
				m.more("the queue is one of %d by turns", o.Total)
			}
			r.add(m.link, "nfqueue", int(o.Num), m.unless)
		case *expr.Reject:
			r.add(m.link, "reject", 0, m.unless)
		case *expr.Target:
			r.target(m, o)
		default:
			m.take(e)
		}
	}
}

func (r *chainReader) end(m matcher, kind expr.VerdictKind) {
	switch kind {
	case expr.VerdictDrop:
		r.add(m.link, "drop", 0, m.unless)
	case expr.VerdictAccept, expr.VerdictReturn, expr.VerdictJump, expr.VerdictGoto:
		r.unless = firstOf(r.unless, "only packets that no rule before it takes")
	}
}

func (r *chainReader) target(m matcher, t *expr.Target) {
	switch data, ok := t.Info.(*xt.Unknown); {
	case t.Name == "NFQUEUE" && ok && len(*data) >= 2:
		r.add(m.link, "nfqueue", int(binary.NativeEndian.Uint16(*data)), m.unless)
	case t.Name == "REJECT":
		r.add(m.link, "reject", 0, m.unless)
	}
}

// matcher gathers which packets a rule is about.
type matcher struct {
	name func(int) string
	// entering: a scenario's filter is about the link packets come in by.
	entering bool
	// loaded is what the next comparison is about.
	loaded       expr.MetaKey
	isLoaded     bool
	link, unless string
}

func (m *matcher) more(format string, args ...any) {
	m.unless = firstOf(m.unless, fmt.Sprintf(format, args...))
}

func (m *matcher) take(e expr.Any) {
	loaded, isLoaded := m.loaded, m.isLoaded
	m.isLoaded = false
	switch o := e.(type) {
	case *expr.Counter, *expr.Log, *expr.Immediate:
	case *expr.Meta:
		m.loaded, m.isLoaded = o.Key, !o.SourceRegister
	case *expr.Cmp:
		// NB: the library leaves out expressions it does not know; what they load
		// is compared too.
		if !isLoaded || !m.compare(loaded, o) {
			m.more("only some packets, by what it compares")
		}
	default:
		m.more("only some packets, by %s", strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", e), "*expr.")))
	}
}

// compare takes a comparison that a scenario can say, or that is always true.
func (m *matcher) compare(key expr.MetaKey, c *expr.Cmp) bool {
	in := key == expr.MetaKeyIIF || key == expr.MetaKeyIIFNAME
	if c.Op != expr.CmpOpEq || key != expr.MetaKeyNFPROTO && in != m.entering {
		return false
	}
	switch key {
	case expr.MetaKeyNFPROTO:
		return len(c.Data) > 0 && c.Data[0] == unix.NFPROTO_IPV4
	case expr.MetaKeyIIFNAME, expr.MetaKeyOIFNAME:
		name := unix.ByteSliceToString(c.Data)
		// NB: a name shorter than its field and without a NUL is the beginning of one.
		if len(name) == len(c.Data) && len(c.Data) < unix.IFNAMSIZ || m.link != "" {
			return false
		}
		m.link = name
	case expr.MetaKeyIIF, expr.MetaKeyOIF:
		if len(c.Data) != 4 || m.link != "" {
			return false
		}
		m.link = m.name(int(binary.NativeEndian.Uint32(c.Data)))
		return m.link != ""
	default:
		return false
	}
	return true
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
