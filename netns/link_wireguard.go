package netns

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"skleak/scenarios"
)

// createWireguard makes a wireguard with one peer that takes every address and
// never answers (drivers/net/wireguard).
func createWireguard(lk *link, o *scenarios.WireguardOptions) error {
	config, err := wireguardConfig(o.Endpoint)
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

func wireguardConfig(endpoint string) (wgtypes.Config, error) {
	to, err := netip.ParseAddrPort(endpoint)
	if err != nil {
		return wgtypes.Config{}, fmt.Errorf("endpoint: %w", err)
	}
	own, err := wgtypes.GeneratePrivateKey()
	if err != nil {
		return wgtypes.Config{}, fmt.Errorf("make a key: %w", err)
	}
	far, err := wgtypes.GeneratePrivateKey()
	if err != nil {
		return wgtypes.Config{}, fmt.Errorf("make the peer's key: %w", err)
	}
	return wgtypes.Config{
		PrivateKey: &own,
		Peers: []wgtypes.PeerConfig{{
			PublicKey: far.PublicKey(), Endpoint: net.UDPAddrFromAddrPort(to),
			AllowedIPs: []net.IPNet{
				{IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)}, {IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)},
			},
		}},
	}, nil
}
