// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"skleak/record"
)

// DropRule drops what one user's sockets of one IP protocol send out of one link.
// It is in a table that belongs to its netlink socket and goes with that, however
// the process ends (NFT_TABLE_F_OWNER, 5.12, 6001a930ce03).
type DropRule struct {
	conn *netlink.Conn
}

const (
	dropTable = "skleak-blame"
	dropChain = "output"
	// tableOwner is NFT_TABLE_F_OWNER of include/uapi/linux/netfilter/nf_tables.h.
	tableOwner = 2
)

// OpenDropRule makes the rule in the calling thread's network namespace. A sender
// whose packet is dropped is told EPERM.
func OpenDropRule(link string, uid uint32, protocol uint8) (*DropRule, error) {
	if len(link) >= unix.IFNAMSIZ {
		return nil, fmt.Errorf("link %q has more than %d characters", link, unix.IFNAMSIZ-1)
	}
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return nil, fmt.Errorf("open nf_tables: %w", err)
	}
	d := &DropRule{conn}
	if err := d.add(link, uid, protocol); err != nil {
		return nil, errors.Join(fmt.Errorf("drop what is sent out of %s: %w", link, whyNoDropRule(err)), conn.Close())
	}
	return d, nil
}

// whyNoDropRule: EOPNOTSUPP and EINVAL are said of flags that a kernel has not, and
// there is no other fault in the message.
func whyNoDropRule(err error) error {
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EINVAL) {
		return &record.UnsupportedError{Feature: "an nf_tables table that goes with its socket", Hint: "CONFIG_NF_TABLES, a kernel since 5.12", Err: err}
	}
	if errors.Is(err, unix.EPERM) {
		return fmt.Errorf("%w; run it as root", err)
	}
	return err
}

// Close takes the rule away.
func (d *DropRule) Close() error { return d.conn.Close() }

// Dropped is how many packets it dropped. It must be called in the namespace of the
// rule.
func (d *DropRule) Dropped() (uint64, error) {
	c := nftables.Conn{}
	table := &nftables.Table{Name: dropTable, Family: nftables.TableFamilyIPv4}
	rules, err := c.GetRules(table, &nftables.Chain{Name: dropChain, Table: table})
	if err != nil {
		return 0, fmt.Errorf("read the count of the rule that drops: %w", err)
	}
	for _, r := range rules {
		for _, e := range r.Exprs {
			if counter, ok := e.(*expr.Counter); ok {
				return counter.Packets, nil
			}
		}
	}
	return 0, errors.New("the rule that drops is not there any more; somebody flushed it")
}

// attributes of a message of nf_tables, numbers in network order.
type attributes struct{ *netlink.AttributeEncoder }

func encode(fill func(attributes) error) ([]byte, error) {
	e := netlink.NewAttributeEncoder()
	e.ByteOrder = binary.BigEndian
	if err := fill(attributes{e}); err != nil {
		return nil, err
	}
	return e.Encode()
}

// add sends table, chain and rule as one transaction of this socket: a table with
// an owner takes nothing from any other.
func (d *DropRule) add(link string, uid uint32, protocol uint8) error {
	table, err := encode(func(a attributes) error {
		a.String(unix.NFTA_TABLE_NAME, dropTable)
		a.Uint32(unix.NFTA_TABLE_FLAGS, tableOwner)
		return nil
	})
	if err != nil {
		return err
	}
	chain, err := encode(func(a attributes) error {
		a.String(unix.NFTA_CHAIN_TABLE, dropTable)
		a.String(unix.NFTA_CHAIN_NAME, dropChain)
		a.Nested(unix.NFTA_CHAIN_HOOK, func(hook *netlink.AttributeEncoder) error {
			hook.ByteOrder = binary.BigEndian
			hook.Uint32(unix.NFTA_HOOK_HOOKNUM, unix.NF_INET_LOCAL_OUT)
			hook.Uint32(unix.NFTA_HOOK_PRIORITY, 0)
			return nil
		})
		a.String(unix.NFTA_CHAIN_TYPE, string(nftables.ChainTypeFilter))
		return nil
	})
	if err != nil {
		return err
	}
	rule, err := encode(func(a attributes) error {
		a.String(unix.NFTA_RULE_TABLE, dropTable)
		a.String(unix.NFTA_RULE_CHAIN, dropChain)
		a.Nested(unix.NFTA_RULE_EXPRESSIONS, func(list *netlink.AttributeEncoder) error {
			for _, e := range dropExprs(link, uid, protocol) {
				data, err := expr.Marshal(unix.NFPROTO_IPV4, e)
				if err != nil {
					return err
				}
				list.Bytes(unix.NFTA_LIST_ELEM|unix.NLA_F_NESTED, data)
			}
			return nil
		})
		return nil
	})
	if err != nil {
		return err
	}
	return d.transaction(
		message(unix.NFT_MSG_NEWTABLE, netlink.Create|netlink.Excl, table),
		message(unix.NFT_MSG_NEWCHAIN, netlink.Create, chain),
		message(unix.NFT_MSG_NEWRULE, netlink.Create|netlink.Append, rule),
	)
}

// dropExprs: oifname, meta skuid and meta l4proto are as given; count; drop.
func dropExprs(link string, uid uint32, protocol uint8) []expr.Any {
	name := make([]byte, unix.IFNAMSIZ)
	copy(name, link)
	equal := func(key expr.MetaKey, data []byte) []expr.Any {
		return []expr.Any{&expr.Meta{Key: key, Register: 1}, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: data}}
	}
	out := equal(expr.MetaKeyOIFNAME, name)
	out = append(out, equal(expr.MetaKeySKUID, binary.NativeEndian.AppendUint32(nil, uid))...)
	out = append(out, equal(expr.MetaKeyL4PROTO, []byte{protocol})...)
	return append(out, &expr.Counter{}, &expr.Verdict{Kind: expr.VerdictDrop})
}

// message is one of the nf_tables subsystem, with its struct nfgenmsg.
func message(kind int, flags netlink.HeaderFlags, data []byte) netlink.Message {
	return netlink.Message{
		Header: netlink.Header{
			Type:  netlink.HeaderType(unix.NFNL_SUBSYS_NFTABLES<<8 | kind),
			Flags: netlink.Request | netlink.Acknowledge | flags,
		},
		Data: append([]byte{unix.NFPROTO_IPV4, unix.NFNETLINK_V0, 0, 0}, data...),
	}
}

// transaction sends all messages between a begin and an end, and reads an answer
// to each.
func (d *DropRule) transaction(messages ...netlink.Message) error {
	edge := func(kind netlink.HeaderType) netlink.Message {
		return netlink.Message{
			Header: netlink.Header{Type: kind, Flags: netlink.Request},
			Data:   []byte{unix.AF_UNSPEC, unix.NFNETLINK_V0, 0, unix.NFNL_SUBSYS_NFTABLES},
		}
	}
	batch := append([]netlink.Message{edge(unix.NFNL_MSG_BATCH_BEGIN)}, messages...)
	batch = append(batch, edge(unix.NFNL_MSG_BATCH_END))
	if _, err := d.conn.SendMessages(batch); err != nil {
		return err
	}
	for range messages {
		if _, err := d.conn.Receive(); err != nil {
			return err
		}
	}
	return nil
}
