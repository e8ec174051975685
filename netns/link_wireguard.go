package netns

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"skleak/scenarios"
)

// createWireguard makes a wireguard with one peer that takes every address
// (drivers/net/wireguard).
func createWireguard(lk *link, o *scenarios.WireguardOptions) error {
	config, err := wireguardConfig(lk.Name, o)
	if err != nil {
		return err
	}
	if err := lk.add(&netlink.Wireguard{LinkAttrs: lk.attrs(nil)}); err != nil {
		return err
	}
	err = lk.space.do(func() error {
		client, err := wgctrl.New()
		if err != nil {
			return err
		}
		return errors.Join(client.ConfigureDevice(lk.Name, config), client.Close())
	})
	if err != nil {
		return fmt.Errorf("give wireguard %s its peer: %w", lk.Name, err)
	}
	return nil
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
