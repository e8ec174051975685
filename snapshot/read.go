// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Read looks at the network namespace of the calling thread, to which its goroutine
// must be locked. It changes nothing there. What one may not see is in
// Facts.Unread; without links or addresses there is nothing to tell, and an error.
func Read() (Facts, error) {
	nl, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return Facts{}, fmt.Errorf("open netlink: %w", err)
	}
	defer nl.Close()
	f := Facts{Kernel: release()}
	if err := f.readLinks(nl); err != nil {
		return Facts{}, err
	}
	for _, part := range []struct {
		what string
		read func(*netlink.Handle) error
	}{
		{"qdiscs", f.readQdiscs},
		{"classes of qdiscs", f.readClasses},
		{"neighbours", f.readNeighbours},
		{"routes", f.readRoutes},
		{"wireguard peers", f.readWireguards},
		{"NFQUEUEs", f.readQueues},
		{"netfilter rules", f.readRules},
	} {
		if err := part.read(nl); err != nil {
			f.Unread = append(f.Unread, fmt.Sprintf("%s: %v", part.what, err))
		}
	}
	return f, nil
}

func release() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}

// whole takes a dump that other changes interrupted for one: it is good for a look.
func whole(err error) error {
	if errors.Is(err, netlink.ErrDumpInterrupted) {
		return nil
	}
	return err
}

func (f *Facts) readLinks(nl *netlink.Handle) error {
	links, err := nl.LinkList()
	if whole(err) != nil {
		return fmt.Errorf("list links: %w", err)
	}
	addrs, err := nl.AddrList(nil, netlink.FAMILY_ALL)
	if whole(err) != nil {
		return fmt.Errorf("list addresses: %w", err)
	}
	for _, l := range links {
		fact := linkFacts(l)
		for _, a := range addrs {
			if a.LinkIndex == fact.Index && a.IPNet != nil {
				fact.Addresses = append(fact.Addresses, a.IPNet.String())
			}
		}
		f.Links = append(f.Links, fact)
	}
	return nil
}

func linkFacts(l netlink.Link) Link {
	a := l.Attrs()
	fact := Link{
		Index: a.Index, Name: a.Name, Kind: l.Type(), MTU: a.MTU, TxQueueLen: a.TxQLen,
		Ethernet: a.EncapType == "ether", Loopback: a.Flags&net.FlagLoopback != 0,
		Up: a.Flags&net.FlagUp != 0, Carrier: a.RawFlags&unix.IFF_LOWER_UP != 0,
		MAC: a.HardwareAddr.String(), Master: a.MasterIndex, Lower: a.ParentIndex, Elsewhere: a.NetNsID >= 0,
	}
	if s := a.Statistics; s != nil {
		fact.TxPackets, fact.TxDropped = s.TxPackets, s.TxDropped
	}
	fact.readKind(l)
	if fact.Kind == "device" {
		fact.Kind, fact.Driver = "", driver(a.Name)
	}
	return fact
}

// readKind fills in what only links of one kind have.
//
//nolint:cyclop // a table, one case a kind
func (l *Link) readKind(from netlink.Link) {
	switch o := from.(type) {
	case *netlink.Tuntap:
		l.Kind, l.Queues, l.Backpressure = "tun", o.Queues, backpressure(l.Name, l.Index)
		if o.Mode == netlink.TUNTAP_MODE_TAP {
			l.Kind = "tap"
		}
	case *netlink.Vlan:
		l.ID = o.VlanId
		if o.VlanProtocol == netlink.VLAN_PROTOCOL_8021AD {
			l.Unsaid = append(l.Unsaid, "protocol 802.1ad")
		}
	case *netlink.Macvlan:
		l.Mode = macvlanMode(o.Mode)
	case *netlink.Macvtap:
		l.Mode = macvlanMode(o.Mode)
	case *netlink.IPVlan:
		l.Mode = map[netlink.IPVlanMode]string{
			netlink.IPVLAN_MODE_L2: "l2", netlink.IPVLAN_MODE_L3: "l3", netlink.IPVLAN_MODE_L3S: "l3s",
		}[o.Mode]
	case *netlink.Bond:
		l.Mode = o.Mode.String()
	case *netlink.Bridge:
		if o.VlanFiltering != nil && *o.VlanFiltering {
			l.Unsaid = append(l.Unsaid, "vlan_filtering 1")
		}
	case *netlink.Vxlan:
		l.ID, l.Port, l.Lower = o.VxlanId, o.Port, o.VtepDevIndex
		l.Local, l.Remote = address(o.SrcAddr), address(o.Group)
		if o.FlowBased {
			l.Unsaid = append(l.Unsaid, "external")
		}
	case *netlink.Geneve:
		l.ID, l.Remote = int(o.ID), address(o.Remote)
		if o.FlowBased {
			l.Unsaid = append(l.Unsaid, "external")
		}
	case *netlink.Gretun:
		l.Local, l.Remote, l.Lower = address(o.Local), address(o.Remote), cmp.Or(int(o.Link), l.Lower)
		l.keyed(o.IKey, o.OKey)
	case *netlink.Gretap:
		l.Local, l.Remote, l.Lower = address(o.Local), address(o.Remote), cmp.Or(int(o.Link), l.Lower)
		l.keyed(o.IKey, o.OKey)
	case *netlink.Iptun:
		l.Local, l.Remote, l.Lower = address(o.Local), address(o.Remote), cmp.Or(int(o.Link), l.Lower)
	case *netlink.Vrf:
		l.ID = int(o.Table)
	case *netlink.Xfrmi:
		l.ID = int(o.Ifid)
	}
}

// backpressure looks for IFF_BACKPRESSURE (485e38995cc3) in sysfs, which shows only
// the network namespace it was mounted in.
func backpressure(name string, index int) bool {
	const flag = 0x0080
	read := func(file string) (int64, error) {
		text, err := os.ReadFile(filepath.Join("/sys/class/net", name, file))
		if err != nil {
			return 0, err
		}
		return strconv.ParseInt(strings.TrimSpace(string(text)), 0, 64)
	}
	if there, err := read("ifindex"); err != nil || there != int64(index) {
		return false
	}
	flags, err := read("tun_flags")
	return err == nil && flags&flag != 0
}

func (l *Link) keyed(in, out uint32) {
	if in != 0 || out != 0 {
		l.Unsaid = append(l.Unsaid, "key")
	}
}

func macvlanMode(m netlink.MacvlanMode) string {
	return map[netlink.MacvlanMode]string{
		netlink.MACVLAN_MODE_PRIVATE: "private", netlink.MACVLAN_MODE_VEPA: "vepa", netlink.MACVLAN_MODE_BRIDGE: "bridge",
		netlink.MACVLAN_MODE_PASSTHRU: "passthru", netlink.MACVLAN_MODE_SOURCE: "source",
	}[m]
}

// address is "" for none and for 0.0.0.0.
func address(ip net.IP) string {
	if ip == nil || ip.IsUnspecified() {
		return ""
	}
	return ip.String()
}

// driver asks what ethtool -i asks; "" where it is not told.
func driver(link string) string {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return ""
	}
	defer func() { _ = unix.Close(fd) }()
	info, err := unix.IoctlGetEthtoolDrvinfo(fd, link)
	if err != nil {
		return ""
	}
	return unix.ByteSliceToString(info.Driver[:])
}

func (f *Facts) readNeighbours(nl *netlink.Handle) error {
	ns, err := nl.NeighList(0, netlink.FAMILY_V4)
	if whole(err) != nil {
		return err
	}
	for _, n := range ns {
		if n.State == netlink.NUD_NOARP || n.State == netlink.NUD_NONE {
			continue
		}
		f.Neighbours = append(f.Neighbours, Neighbour{
			Link: n.LinkIndex, Address: n.IP.String(), LLAddr: n.HardwareAddr.String(), State: nudName(n.State),
		})
	}
	return nil
}

// nudName is a neighbour's state as `ip neigh` has it; of an entry without a
// hardware address that is all there is to know.
func nudName(state int) string {
	names := []string{"INCOMPLETE", "REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "NOARP", "PERMANENT"}
	for i, name := range names {
		if state&(1<<i) != 0 {
			return name
		}
	}
	return "NONE"
}

func (f *Facts) readRoutes(nl *netlink.Handle) error {
	routes, err := nl.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_TABLE)
	if whole(err) != nil {
		return err
	}
	for _, r := range routes {
		if r.Type != unix.RTN_UNICAST || r.Protocol == unix.RTPROT_KERNEL || len(r.MultiPath) > 0 {
			continue
		}
		to := "0.0.0.0/0"
		if r.Dst != nil {
			to = r.Dst.String()
		}
		f.Routes = append(f.Routes, Route{To: to, Via: address(r.Gw), Link: r.LinkIndex, Metric: r.Priority})
	}
	return nil
}

// readQueues reads /proc/net/netfilter/nfnetlink_queue (seq_show in
// net/netfilter/nfnetlink_queue.c), which is there while nfnetlink_queue is.
func (f *Facts) readQueues(*netlink.Handle) error {
	text, err := os.ReadFile("/proc/thread-self/net/netfilter/nfnetlink_queue")
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			continue
		}
		number, err := strconv.Atoi(fields[0])
		waiting, err2 := strconv.Atoi(fields[2])
		if err := errors.Join(err, err2); err != nil {
			return fmt.Errorf("line %q of nfnetlink_queue: %w", strings.TrimSpace(line), err)
		}
		f.Queues = append(f.Queues, Queue{number, waiting})
	}
	return nil
}

// Link is the link of an index.
func (f Facts) link(index int) (Link, bool) {
	i := slices.IndexFunc(f.Links, func(l Link) bool { return l.Index == index && index != 0 })
	if i < 0 {
		return Link{}, false
	}
	return f.Links[i], true
}
