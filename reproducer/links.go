// SPDX-License-Identifier: GPL-2.0-only

package reproducer

import (
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/netip"
	"strconv"

	"skleak/scenarios"
)

// add is `ip link add` of a link, with the words that follow its name.
func (w *writer) add(lk *link, words ...string) {
	w.build = append(w.build, must(lk.Netns, append([]string{"ip", "link", "add", "name", lk.Name}, words...)...))
}

// addOn is the same of a link that is built on a parent.
func (w *writer) addOn(lk *link, parent string, words ...string) {
	w.add(lk, append([]string{"link", parent}, words...)...)
}

// create makes the interface of lk: one line a kind.
//
//nolint:cyclop // a table, one line a kind
func (w *writer) create(lk *link) error {
	switch o := lk.options.(type) {
	case *scenarios.TunOptions:
		w.tun(lk, *o, 0x1001)
	case *scenarios.TapOptions:
		w.tun(lk, o.TunOptions, 0x1002)
	case *scenarios.IodineOptions:
		w.iodine(lk)
	case scenarios.PairedByIP:
		w.pair(lk, *o.PeerEnd(), o.IPLink()...)
	case *scenarios.DummyOptions, *scenarios.IfbOptions, *scenarios.NlmonOptions, *scenarios.BridgeOptions:
		w.add(lk, "type", lk.kind)
	case *scenarios.VlanOptions:
		w.addOn(lk, o.Parent, "type", "vlan", "id", strconv.Itoa(o.ID))
	case *scenarios.MacvlanOptions:
		w.addOn(lk, o.Parent, "type", "macvlan", "mode", orElse(o.Mode, "bridge"))
	case *scenarios.MacvtapOptions:
		w.addOn(lk, o.Parent, "type", "macvtap", "mode", orElse(o.Mode, "bridge"))
		w.macvtap(lk, o.Reader)
	case *scenarios.IpvlanOptions:
		w.addOn(lk, o.Parent, "type", "ipvlan", "mode", orElse(o.Mode, "l2"))
	case *scenarios.BondOptions:
		w.add(lk, "type", "bond", "mode", orElse(o.Mode, "active-backup"))
	case *scenarios.TeamOptions:
		w.team(lk, o)
	case *scenarios.VxlanOptions:
		w.vxlan(lk, o)
	case *scenarios.GeneveOptions:
		w.add(lk, "type", "geneve", "id", strconv.Itoa(o.ID), "remote", o.Remote)
	case *scenarios.GreOptions:
		w.tunnel(lk, o)
	case *scenarios.GretapOptions:
		w.tunnel(lk, &o.GreOptions)
	case *scenarios.IpipOptions:
		w.tunnel(lk, &o.GreOptions)
	case *scenarios.WireguardOptions:
		return w.wireguard(lk, o)
	case *scenarios.VrfOptions:
		w.add(lk, "type", "vrf", "table", strconv.Itoa(o.Table))
	case *scenarios.MacsecOptions:
		w.macsec(lk, o)
	case *scenarios.XfrmOptions:
		words := []string{"type", "xfrm", "if_id", strconv.Itoa(o.ID)}
		if o.Parent != "" {
			words = append(words, "dev", o.Parent)
		}
		w.add(lk, words...)
	case *scenarios.NicOptions:
		return errCard
	default:
		return fmt.Errorf("no way is known to build a link of kind %s by ip(8)", lk.kind)
	}
	return nil
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// pair makes a link and its far end, of words that say which kind.
func (w *writer) pair(lk *link, peer scenarios.Common, words ...string) {
	words = append(words, "peer", "name", peer.Name)
	if peer.Netns != "" && peer.Netns != lk.Netns {
		words = append(words, "netns", peer.Netns)
	}
	w.add(lk, words...)
	if peer.Netns == "" && lk.Netns != "" {
		// NB: the far end of a link made in another namespace is there too.
		w.build = append(w.build, must(lk.Netns, "ip", "link", "set", "dev", peer.Name, "netns")+` "$$"`)
	}
}

func (w *writer) tun(lk *link, o scenarios.TunOptions, flags int) {
	if o.Queues > 1 {
		flags |= 0x0100 // IFF_MULTI_QUEUE
	}
	if o.Backpressure {
		flags |= 0x0080 // IFF_BACKPRESSURE
	}
	mode := string(o.Reader.Mode)
	w.build = append(w.build, w.helper(lk, "tun", lk.Name, fmt.Sprintf("0x%x", flags), strconv.Itoa(max(o.Queues, 1)),
		orElse(mode, "none"), fmt.Sprint(o.Reader.PPS), strconv.Itoa(o.Reader.After)))
	lk.helper, lk.drained = "tun-"+lk.Netns+"-"+lk.Name, o.Reader.Mode == scenarios.ReaderDrain
}

// macvtap makes the node of the character device that a sysfs of the namespace
// names, and opens it.
func (w *writer) macvtap(lk *link, r scenarios.Reader) {
	node := fmt.Sprintf(`"$dir/%s-%s.tap"`, lk.Netns, lk.Name)
	w.build = append(w.build,
		"must mount -t sysfs sysfs /sys",
		fmt.Sprintf(`IFS=: read -r major minor < <(within %s sh -c 'cat /sys/class/net/%s/macvtap/tap*/dev')`, quote(lk.Netns), lk.Name),
		fmt.Sprintf(`must mknod %s c "$major" "$minor"`, node),
	)
	w.programs["macvtap"] = true
	key := "macvtap-" + lk.Netns + "-" + lk.Name
	w.build = append(w.build, fmt.Sprintf(`helper %s %s "$dir/probe" macvtap %s %s`, quote(key), quote(lk.Netns), node,
		command(orElse(string(r.Mode), "none"), fmt.Sprint(r.PPS), strconv.Itoa(r.After))))
	lk.helper, lk.drained = key, r.Mode == scenarios.ReaderDrain
}

// iodine starts an iodined without a client, on a port of loopback.
func (w *writer) iodine(lk *link) {
	w.tools["iodined"] = true
	address := ""
	for _, a := range lk.Addresses {
		if p, err := netip.ParsePrefix(a); err == nil && p.Addr().Is4() {
			address = a
			break
		}
	}
	key := "iodine-" + lk.Netns + "-" + lk.Name
	w.build = append(w.build, "ready='^Listening to dns'",
		"helper "+command(key, lk.Netns, "iodined", "-f", "-c", "-P", "pw", "-d", lk.Name, "-p", "5353", "-l", "127.0.0.1", address, "t.example.org"),
		"ready='^ready'")
	lk.helper, lk.drained = key, true
}

func (w *writer) team(lk *link, o *scenarios.TeamOptions) {
	w.tools["teamnl"] = true
	w.add(lk, "type", "team")
	w.build = append(w.build, must(lk.Netns, "teamnl", lk.Name, "setoption", "mode", orElse(o.Mode, "roundrobin")))
}

func (w *writer) disablePorts(lk *link) {
	if o, ok := lk.options.(*scenarios.TeamOptions); ok {
		for _, port := range o.Disabled {
			w.finish = append(w.finish, must(lk.Netns, "teamnl", "-p", port, lk.Name, "setoption", "enabled", "false"))
		}
	}
}

func (w *writer) vxlan(lk *link, o *scenarios.VxlanOptions) {
	port := o.Port
	if port == 0 {
		port = 4789
	}
	words := []string{"type", "vxlan", "id", strconv.Itoa(o.ID), "dstport", strconv.Itoa(port)}
	if o.Remote != "" {
		key := "remote"
		if a, err := netip.ParseAddr(o.Remote); err == nil && a.IsMulticast() {
			key = "group"
		}
		words = append(words, key, o.Remote)
	}
	if o.Local != "" {
		words = append(words, "local", o.Local)
	}
	if o.Parent != "" {
		words = append(words, "dev", o.Parent)
	}
	w.add(lk, words...)
}

// tunnel is a gre, gretap or ipip.
func (w *writer) tunnel(lk *link, o *scenarios.GreOptions) {
	words := []string{"type", lk.kind}
	for _, end := range []struct{ key, value string }{{"local", o.Local}, {"remote", o.Remote}, {"dev", o.Parent}} {
		if end.value != "" {
			words = append(words, end.key, end.value)
		}
	}
	w.add(lk, words...)
}

func (w *writer) macsec(lk *link, o *scenarios.MacsecOptions) {
	w.addOn(lk, o.Parent, "type", "macsec")
	if !o.Keyless {
		w.build = append(w.build, must(lk.Netns, "ip", "macsec", "add", lk.Name, "tx", "sa", "0", "pn", "1", "on",
			"key", "00", "0123456789abcdef0123456789abcdef"))
	}
}

func (w *writer) wireguard(lk *link, o *scenarios.WireguardOptions) error {
	w.tools["wg"] = true
	to, err := netip.ParseAddrPort(o.Endpoint)
	if err != nil {
		return fmt.Errorf("endpoint of %s: %w", lk.Name, err)
	}
	own, far := wireguardKey(lk.Name), wireguardKey(orElse(o.Peer, "nobody"))
	peer, err := ecdh.X25519().NewPrivateKey(far)
	if err != nil {
		return fmt.Errorf("key of the peer of %s: %w", lk.Name, err)
	}
	w.add(lk, "type", "wireguard")
	file := fmt.Sprintf(`"$dir/%s-%s.key"`, lk.Netns, lk.Name)
	w.build = append(w.build,
		fmt.Sprintf("echo %s >%s", base64.StdEncoding.EncodeToString(own), file),
		fmt.Sprintf("must within %s wg set %s private-key %s listen-port %d peer %s endpoint %s allowed-ips 0.0.0.0/0,::/0",
			quote(lk.Netns), quote(lk.Name), file, to.Port(), base64.StdEncoding.EncodeToString(peer.PublicKey().Bytes()), quote(o.Endpoint)))
	return nil
}

// shakeHands waits until a peer that answers has done so.
func (w *writer) shakeHands(lk *link) {
	o, ok := lk.options.(*scenarios.WireguardOptions)
	if !ok || o.Peer == "" || lk.Netns != "" {
		return
	}
	peer, err := ecdh.X25519().NewPrivateKey(wireguardKey(o.Peer))
	if err != nil {
		return
	}
	key := base64.StdEncoding.EncodeToString(peer.PublicKey().Bytes())
	w.finish = append(w.finish,
		command("must", "wg", "set", lk.Name, "peer", key, "persistent-keepalive", "25"),
		fmt.Sprintf(`for _ in $(seq 500); do wg show %s latest-handshakes | grep -q '[1-9][0-9]*$' && break; sleep 0.02; done`, quote(lk.Name)))
}

// wireguardKey is made of a link's name, so that both ends know each other's.
func wireguardKey(name string) []byte {
	key := sha256.Sum256([]byte("skleak wireguard " + name))
	// The bits Curve25519 wants set and clear (RFC 7748, section 5).
	key[0] &= 248
	key[31] = key[31]&127 | 64
	return key[:]
}
