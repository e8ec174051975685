// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	// loHeader is the length of lo's Ethernet header, which tbf counts.
	loHeader = 14
	// bucketSeconds is how long tbf's bucket takes to fill. The netlink library
	// tells the kernel the bucket's size as such a time, and from 4.3 s (32 bits
	// of nanoseconds) on the kernel makes a bucket of it that takes no packet:
	// found by trying on 6.18.
	bucketSeconds = 4
	// loQueueBytes is room for a calibration of the longest packets.
	loQueueBytes = 16 << 20
)

// heldLoopback is lo with a queue that lets nothing out.
type heldLoopback struct {
	nl   *netlink.Handle
	link netlink.Link
	// qdisc is nil when none was set.
	qdisc netlink.Qdisc
	by    string
}

// holdLoopback sets lo of the calling process's namespace up to hold packets of
// size bytes, by tbf where the kernel has it, else by plug.
func holdLoopback(size, mtu int, may func(qdisc string) error) (*heldLoopback, error) {
	nl, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open netlink: %w", err)
	}
	lo := &heldLoopback{nl: nl}
	if err := lo.hold(size, mtu, may); err != nil {
		return nil, errors.Join(err, lo.release())
	}
	return lo, nil
}

func (lo *heldLoopback) hold(size, mtu int, may func(qdisc string) error) error {
	link, err := lo.nl.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("find lo: %w", err)
	}
	lo.link = link
	if err := lo.nl.LinkSetMTU(link, mtu); err != nil {
		return fmt.Errorf("set the mtu of lo to %d: %w", mtu, err)
	}
	if err := lo.nl.LinkSetUp(link); err != nil {
		return fmt.Errorf("set lo up: %w", err)
	}
	attrs := netlink.QdiscAttrs{
		LinkIndex: link.Attrs().Index, Parent: netlink.HANDLE_ROOT, Handle: netlink.MakeHandle(1, 0),
	}
	var errs []error
	for _, q := range []netlink.Qdisc{tightTbf(attrs, min(size, mtu)), &netlink.GenericQdisc{QdiscAttrs: attrs, QdiscType: "plug"}} {
		var err error
		if may != nil {
			err = may(q.Type())
		}
		if err == nil {
			err = lo.nl.QdiscReplace(q)
		}
		if err == nil {
			lo.qdisc, lo.by = q, q.Type()+" on lo"
			return nil
		}
		errs = append(errs, fmt.Errorf("put %s on lo: %w", q.Type(), err))
	}
	return errors.Join(errs...)
}

// tightTbf lets one packet of size bytes out and the next one seconds later. A
// packet longer than the bucket would be dropped (net/sched/sch_tbf.c, tbf_enqueue).
func tightTbf(attrs netlink.QdiscAttrs, size int) *netlink.Tbf {
	burst := uint32(max(size, 0) + loHeader + 2)
	rate := uint64(burst/bucketSeconds + 1)
	return &netlink.Tbf{
		QdiscAttrs: attrs, Rate: rate, Limit: loQueueBytes,
		// NB: the time is rounded down on its way, and the bucket with it.
		Buffer: netlink.Xmittime(rate, burst+2),
	}
}

// release takes the queue away, which frees what it held, and puts lo back as
// it was.
func (lo *heldLoopback) release() error {
	defer lo.nl.Close()
	var errs []error
	if lo.qdisc != nil {
		if err := lo.nl.QdiscDel(lo.qdisc); err != nil {
			errs = append(errs, fmt.Errorf("take %s off lo: %w", lo.qdisc.Type(), err))
		}
	}
	if lo.link == nil {
		return errors.Join(errs...)
	}
	attrs := lo.link.Attrs()
	if err := lo.nl.LinkSetMTU(lo.link, attrs.MTU); err != nil {
		errs = append(errs, fmt.Errorf("set the mtu of lo back to %d: %w", attrs.MTU, err))
	}
	if attrs.Flags&net.FlagUp == 0 {
		if err := lo.nl.LinkSetDown(lo.link); err != nil {
			errs = append(errs, fmt.Errorf("set lo down again: %w", err))
		}
	}
	return errors.Join(errs...)
}
