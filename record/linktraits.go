// SPDX-License-Identifier: GPL-2.0-only

package record

// LinkTraits is what a driver does with a packet, as far as a judge and the
// ledger go by it. Nothing set is a driver of which nothing is known: its counters
// are believed only where they count.
type LinkTraits struct {
	// Counts: each packet it sends is counted, so that a 0 is one.
	Counts bool
	// Tunnels: it hands its packets to IP of the same namespace again.
	Tunnels bool
	// Ports: it may give each of its ports a packet, and takes all that these
	// receive (rx_handler, __netif_receive_skb_core, net/core/dev.c).
	Ports bool
	// Ends: a packet's way ends there.
	Ends bool
	// Orphans: what it keeps is taken off its sender's account (skb_orphan).
	Orphans bool
	// Read: a program reads what is sent.
	Read bool
	// Passes: it has no queue of its own beside its qdisc. A veth has one only with
	// an XDP program at its far end.
	Passes bool
}

// TraitsOf gives the traits of a kind of link, as the kernel or a scenario calls
// it. veth counts after the far end took the packet (veth_xmit,
// drivers/net/veth.c), dummy and bridge before anything else (dummy_xmit,
// br_dev_xmit), the others when what is below them took it. A bond sums up its
// ports (bond_get_stats) and so counts nothing of its own. TUN, TAP and WireGuard
// orphan what they keep (tun_net_xmit, drivers/net/tun.c; wg_xmit,
// drivers/net/wireguard/device.c).
func TraitsOf(kind string) LinkTraits {
	return map[string]LinkTraits{
		"veth":      {Counts: true, Passes: true},
		"dummy":     {Counts: true, Ends: true, Passes: true},
		"nlmon":     {Ends: true, Passes: true},
		"bridge":    {Counts: true, Ports: true, Passes: true},
		"bond":      {Ports: true, Passes: true},
		"team":      {Counts: true, Ports: true, Passes: true},
		"vlan":      {Counts: true, Passes: true},
		"macvlan":   {Counts: true},
		"ipvlan":    {Counts: true},
		"macsec":    {Counts: true},
		"vxlan":     {Counts: true, Tunnels: true, Passes: true},
		"geneve":    {Counts: true, Tunnels: true, Passes: true},
		"gre":       {Counts: true, Tunnels: true, Passes: true},
		"gretap":    {Counts: true, Tunnels: true, Passes: true},
		"ipip":      {Counts: true, Tunnels: true, Passes: true},
		"vrf":       {Counts: true, Tunnels: true, Passes: true},
		"wireguard": {Tunnels: true, Orphans: true},
		"tun":       {Ends: true, Orphans: true, Read: true},
		"tap":       {Ends: true, Orphans: true, Read: true},
		"tuntap":    {Ends: true, Orphans: true, Read: true},
		"macvtap":   {Orphans: true, Read: true},
		// The kernel's word for a driver that is no kind of rtnetlink, as a card's.
		"device": {Ends: true},
		"":       {Ends: true},
	}[kind]
}
