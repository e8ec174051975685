// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"fmt"
	"net/netip"
)

// WireguardOptions are the options of a wireguard with one peer; keys are made
// for the occasion.
type WireguardOptions struct {
	Parent string
	// Endpoint is the peer's address and port; it is needed. The link listens at
	// that port too.
	Endpoint string
	// Peer names the wireguard at the other end; "" for one that never answers.
	Peer string
}

// Wireguard is the record of the kind.
func (linkTable) Wireguard() linkKind {
	return linkKind{
		Kind:    Kind{Name: "wireguard", About: "IP over encrypted UDP", Config: []string{"CONFIG_WIREGUARD"}, Modules: []string{"wireguard"}, On: OnUnderlay},
		options: func() LinkOptions { return &WireguardOptions{} },
	}
}

// Kind implements LinkOptions.
func (*WireguardOptions) Kind() string { return "wireguard" }

// Lower implements LinkOptions.
func (o *WireguardOptions) Lower() []string { return named(o.Parent) }

// Check implements LinkOptions.
func (o *WireguardOptions) Check() error {
	if p, err := netip.ParseAddrPort(o.Endpoint); err != nil || p.Port() == 0 {
		return wrong("endpoint", fmt.Sprintf("endpoint %q is no address and port", o.Endpoint), "write it like 10.9.9.2:51820")
	}
	return nil
}

func (o *WireguardOptions) fields() []field {
	return []field{{"parent", text(&o.Parent)}, {"endpoint", text(&o.Endpoint)}, {"peer", text(&o.Peer)}}
}

// checkAmong implements checksAmong.
func (o *WireguardOptions) checkAmong(l Link, links []Link) error {
	if o.Peer == "" {
		return nil
	}
	for _, other := range links {
		if other.Name == o.Peer && other.Name != l.Name && other.Kind() == o.Kind() {
			return nil
		}
	}
	return wrong("peer", fmt.Sprintf("%q is no other wireguard of the scenario", o.Peer), "name one, or leave it out for a peer that never answers")
}
