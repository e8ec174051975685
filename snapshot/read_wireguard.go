// SPDX-License-Identifier: GPL-2.0-only

package snapshot

import (
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.zx2c4.com/wireguard/wgctrl"
)

// readWireguards reads where the first peer of each wireguard is. Keys are not
// kept.
func (f *Facts) readWireguards(*netlink.Handle) error {
	for i := range f.Links {
		if f.Links[i].Kind != "wireguard" {
			continue
		}
		if err := f.Links[i].readWireguard(); err != nil {
			return err
		}
	}
	return nil
}

func (l *Link) readWireguard() error {
	c, err := wgctrl.New()
	if err != nil {
		return fmt.Errorf("open wireguard's netlink: %w", err)
	}
	defer func() { _ = c.Close() }()
	dev, err := c.Device(l.Name)
	if err != nil {
		return fmt.Errorf("ask %s: %w", l.Name, err)
	}
	for _, p := range dev.Peers {
		if p.Endpoint != nil && p.Endpoint.IP.To4() != nil {
			l.Remote = p.Endpoint.String()
			break
		}
	}
	if len(dev.Peers) > 1 {
		l.Unsaid = append(l.Unsaid, fmt.Sprintf("%d peers but the first", len(dev.Peers)-1))
	}
	return nil
}
