// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// readQdiscs dumps all qdiscs with their options as they are: the netlink library
// reads those of some kinds only.
func (f *Facts) readQdiscs(*netlink.Handle) error {
	dump, err := dumpTC(unix.RTM_GETQDISC, unix.RTM_NEWQDISC, 0)
	if err != nil {
		return err
	}
	for _, d := range dump {
		q := Qdisc{
			Link: int(d.msg.Ifindex), Kind: d.kind(), Handle: d.msg.Handle, Parent: d.msg.Parent,
			Options: slices.Clone(d.attrs[nl.TCA_OPTIONS]),
		}
		q.count(d.attrs[nl.TCA_STATS2])
		f.Qdiscs = append(f.Qdiscs, q)
	}
	return nil
}

// count reads struct gnet_stats_basic (bytes, packets) and gnet_stats_queue (qlen,
// backlog, ...) of include/uapi/linux/gen_stats.h.
func (q *Qdisc) count(stats []byte) {
	parts := attributes(stats)
	if b := parts[nl.TCA_STATS_BASIC]; len(b) >= 12 {
		q.Packets = binary.NativeEndian.Uint32(b[8:])
	}
	if b := parts[nl.TCA_STATS_QUEUE]; len(b) >= 8 {
		q.QLen, q.Backlog = binary.NativeEndian.Uint32(b), binary.NativeEndian.Uint32(b[4:])
	}
}

// readClasses dumps the classes of each link that has an htb.
func (f *Facts) readClasses(*netlink.Handle) error {
	for _, l := range f.Links {
		has := slices.ContainsFunc(f.Qdiscs, func(q Qdisc) bool { return q.Link == l.Index && q.Kind == "htb" })
		if !has {
			continue
		}
		dump, err := dumpTC(unix.RTM_GETTCLASS, unix.RTM_NEWTCLASS, l.Index)
		if err != nil {
			return err
		}
		for _, d := range dump {
			c := Class{Link: l.Index, Kind: d.kind(), Handle: d.msg.Handle, Parent: d.msg.Parent, Leaf: d.msg.Info}
			if c.Kind == "htb" {
				c.readHtb(attributes(d.attrs[nl.TCA_OPTIONS]))
				f.Classes = append(f.Classes, c)
			}
		}
	}
	return nil
}

// readHtb reads struct tc_htb_opt: two tc_ratespec of 12 bytes with the rate at
// their end, then buffer and cbuffer (include/uapi/linux/pkt_sched.h).
func (c *Class) readHtb(attrs map[uint16][]byte) {
	b := attrs[nl.TCA_HTB_PARMS]
	if len(b) < 32 {
		return
	}
	c.Rate, c.Ceil = uint64(binary.NativeEndian.Uint32(b[8:])), uint64(binary.NativeEndian.Uint32(b[20:]))
	c.Buffer = binary.NativeEndian.Uint32(b[24:])
	if v := attrs[nl.TCA_HTB_RATE64]; len(v) == 8 {
		c.Rate = binary.NativeEndian.Uint64(v)
	}
	if v := attrs[nl.TCA_HTB_CEIL64]; len(v) == 8 {
		c.Ceil = binary.NativeEndian.Uint64(v)
	}
}

// tcDump is one message of a dump of qdiscs or classes.
type tcDump struct {
	msg   *nl.TcMsg
	attrs map[uint16][]byte
}

func (d tcDump) kind() string { return unix.ByteSliceToString(d.attrs[nl.TCA_KIND]) }

func dumpTC(ask int, answer uint16, link int) ([]tcDump, error) {
	req := nl.NewNetlinkRequest(ask, unix.NLM_F_DUMP)
	req.AddData(&nl.TcMsg{Family: nl.FAMILY_ALL, Ifindex: int32(link)})
	msgs, err := req.Execute(unix.NETLINK_ROUTE, answer)
	if whole(err) != nil {
		return nil, err
	}
	var out []tcDump
	for _, m := range msgs {
		if len(m) < nl.SizeofTcMsg {
			return nil, errors.New("the kernel's answer is too short")
		}
		msg := nl.DeserializeTcMsg(m)
		out = append(out, tcDump{msg, attributes(m[nl.SizeofTcMsg:])})
	}
	return out, nil
}

// attributes reads netlink attributes (struct nlattr) by type, as far as they go.
func attributes(b []byte) map[uint16][]byte {
	const header, kindBits = 4, 0x3fff
	out := map[uint16][]byte{}
	for len(b) >= header {
		size := int(binary.NativeEndian.Uint16(b))
		if size < header || size > len(b) {
			break
		}
		out[binary.NativeEndian.Uint16(b[2:])&kindBits] = b[header:size]
		b = b[min((size+3)&^3, len(b)):]
	}
	return out
}
