// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// htbQuantum in bytes is one Ethernet frame; the kernel would compute one from
// the rate and warn that it is small (net/sched/sch_htb.c).
const htbQuantum = 1514

// Htb adds an htb with one class, 1:1, that everything goes to.
func (b qdiscBuild) Htb(o *scenarios.HtbOptions) error {
	lk, parent := b.lk, b.parent
	attrs := lk.below(parent)
	attrs.Handle = netlink.MakeHandle(1, 0)
	q := netlink.NewHtb(attrs)
	q.Defcls = 1
	if err := lk.space.nl.QdiscAdd(q); err != nil {
		return err
	}
	class := netlink.NewHtbClass(
		netlink.ClassAttrs{LinkIndex: lk.index, Parent: attrs.Handle, Handle: netlink.MakeHandle(1, 1)},
		netlink.HtbClassAttrs{Rate: max(8, o.Rate), Quantum: htbQuantum})
	class.Buffer = burstTicks(o.Rate, o.Burst)
	class.Cbuffer = class.Buffer
	if err := lk.space.nl.ClassAdd(class); err != nil {
		return errors.Join(fmt.Errorf("add its class: %w", err), lk.space.nl.QdiscDel(q))
	}
	if o.Leaf == nil {
		return nil
	}
	if err := lk.addQdisc(o.Leaf.Options, class.Handle); err != nil {
		return errors.Join(err, lk.space.nl.QdiscDel(q))
	}
	return nil
}
