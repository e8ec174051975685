// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// generic sends one generic netlink command of version 1 inside the namespace.
func (s *space) generic(family string, command uint8, attrs ...*nl.RtAttr) error {
	return s.do(func() error {
		f, err := netlink.GenlFamilyGet(family)
		if err != nil {
			return fmt.Errorf("find generic netlink family %s: %w", family, err)
		}
		req := nl.NewNetlinkRequest(int(f.ID), unix.NLM_F_ACK)
		req.AddData(&nl.Genlmsg{Command: command, Version: 1})
		for _, a := range attrs {
			req.AddData(a)
		}
		_, err = req.Execute(unix.NETLINK_GENERIC, 0)
		return err
	})
}

// nested is an attribute that holds others.
func nested(kind int, inside ...*nl.RtAttr) *nl.RtAttr {
	a := nl.NewRtAttr(kind|unix.NLA_F_NESTED, nil)
	for _, in := range inside {
		a.AddChild(in)
	}
	return a
}
