// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"skleak/scenarios"
)

// Wireguard makes a wireguard with one peer that takes every address
// (drivers/net/wireguard).
func (b linkBuild) Wireguard(o *scenarios.WireguardOptions) error {
	lk := b.lk
	config, err := wireguardConfig(lk.Name, o)
	if err != nil {
		return err
	}
	if err := lk.add(&netlink.Wireguard{LinkAttrs: lk.attrs(nil)}); err != nil {
		return err
	}
	lk.answers = o.Peer
	err = lk.wireguard(func(c *wgctrl.Client) error { return c.ConfigureDevice(lk.Name, config) })
	if err != nil {
		return fmt.Errorf("give wireguard %s its peer: %w", lk.Name, err)
	}
	return nil
}

// wireguard calls do with a client of the link's namespace.
func (lk *link) wireguard(do func(*wgctrl.Client) error) error {
	return lk.space.do(func() error {
		client, err := wgctrl.New()
		if err != nil {
			return err
		}
		return errors.Join(do(client), client.Close())
	})
}

const (
	// handshakeKeepalive is how often a packet is sent to keep a session; turning
	// it on sends one at once (drivers/net/wireguard/netlink.c, set_peer).
	handshakeKeepalive = 25 * time.Second
	handshakeTimeout   = 10 * time.Second
	handshakePoll      = 5 * time.Millisecond
)

// shakeHands waits until the wireguards of the sandbox's own namespace whose
// peer answers have a session: what is sent before that is orphaned.
func (w *World) shakeHands(ctx context.Context) error {
	for _, lk := range w.links {
		if lk.answers == "" || lk.Netns != "" {
			continue
		}
		if err := lk.shakeHands(ctx); err != nil {
			return fmt.Errorf("handshake of wireguard %s with %s: %w", lk.Name, lk.answers, err)
		}
	}
	return nil
}

func (lk *link) shakeHands(ctx context.Context) error {
	far, err := wireguardKey(lk.answers)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, handshakeTimeout, errors.New("none in "+handshakeTimeout.String()))
	defer cancel()
	return lk.wireguard(func(c *wgctrl.Client) error {
		err := c.ConfigureDevice(lk.Name, wgtypes.Config{Peers: []wgtypes.PeerConfig{{
			PublicKey: far.PublicKey(), UpdateOnly: true, PersistentKeepaliveInterval: new(handshakeKeepalive),
		}}})
		for err == nil {
			var d *wgtypes.Device
			if d, err = c.Device(lk.Name); err != nil || len(d.Peers) > 0 && !d.Peers[0].LastHandshakeTime.IsZero() {
				return err
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(handshakePoll):
			}
		}
		return err
	})
}

func wireguardConfig(name string, o *scenarios.WireguardOptions) (wgtypes.Config, error) {
	to, err := netip.ParseAddrPort(o.Endpoint)
	if err != nil {
		return wgtypes.Config{}, fmt.Errorf("endpoint: %w", err)
	}
	own, err := wireguardKey(name)
	if err != nil {
		return wgtypes.Config{}, fmt.Errorf("make a key: %w", err)
	}
	far, err := wireguardKey(o.Peer)
	if err != nil {
		return wgtypes.Config{}, fmt.Errorf("make the peer's key: %w", err)
	}
	port := int(to.Port())
	return wgtypes.Config{
		PrivateKey: &own, ListenPort: &port,
		Peers: []wgtypes.PeerConfig{{
			PublicKey: far.PublicKey(), Endpoint: net.UDPAddrFromAddrPort(to),
			AllowedIPs: []net.IPNet{
				{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}, {IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)},
			},
		}},
	}, nil
}

// wireguardKey is made of a link's name, so that both ends know each other's:
// nothing is kept secret in a sandbox. That of nobody is made by chance.
func wireguardKey(name string) (wgtypes.Key, error) {
	if name == "" {
		return wgtypes.GeneratePrivateKey()
	}
	key := sha256.Sum256([]byte("skleak wireguard " + name))
	// The bits Curve25519 wants set and clear (RFC 7748, section 5).
	key[0] &= 248
	key[31] = key[31]&127 | 64
	return wgtypes.NewKey(key[:])
}
