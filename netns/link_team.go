// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

// Numbers of the team family (include/uapi/linux/if_team.h).
const (
	teamCmdOptionsSet     = 1
	teamAttrIfindex       = 1
	teamAttrListOption    = 2
	teamAttrItemOption    = 1
	teamOptionName        = 1
	teamOptionType        = 3
	teamOptionData        = 4
	teamOptionPortIfindex = 6

	// The types of an option are those of netlink attributes in the kernel
	// (include/net/netlink.h), not those user space sees.
	nlaString = 5
	nlaFlag   = 6
)

// teamDefaultMode is set where none is given.
const teamDefaultMode = "roundrobin"

// Team makes a team and chooses its mode, which must be done while it has
// no ports (drivers/net/team, team_mode_option_set).
func (b linkBuild) Team(o *scenarios.TeamOptions) error {
	lk := b.lk
	if err := lk.add(&netlink.GenericLink{LinkAttrs: lk.attrs(nil), LinkType: "team"}); err != nil {
		return err
	}
	lk.disabled = o.Disabled
	l, err := lk.space.nl.LinkByName(lk.Name)
	if err != nil {
		return fmt.Errorf("find team %s: %w", lk.Name, err)
	}
	mode := o.Mode
	if mode == "" {
		mode = teamDefaultMode
	}
	err = lk.space.setTeamOption(l.Attrs().Index,
		nl.NewRtAttr(teamOptionName, nl.ZeroTerminated("mode")),
		nl.NewRtAttr(teamOptionType, nl.Uint8Attr(nlaString)),
		nl.NewRtAttr(teamOptionData, nl.ZeroTerminated(mode)))
	if errors.Is(err, unix.EINVAL) {
		// NB: the kernel says EINVAL for a mode whose module it cannot find.
		return &record.UnsupportedError{
			Feature: scenarios.TeamModeNeed(mode).Feature, Hint: scenarios.TeamModeNeed(mode).Hint(), Err: err,
		}
	}
	if err != nil {
		return fmt.Errorf("set the mode of team %s to %s: %w", lk.Name, mode, err)
	}
	return nil
}

// disableTeamPorts takes away the "enabled" option of the ports so listed.
func (w *World) disableTeamPorts() error {
	for _, lk := range w.links {
		for _, name := range lk.disabled {
			port := w.find(lk.Netns, name)
			if port == nil {
				return fmt.Errorf("disable port %s of %s: there is no such link", name, lk.Name)
			}
			err := lk.space.setTeamOption(lk.index,
				nl.NewRtAttr(teamOptionName, nl.ZeroTerminated("enabled")),
				nl.NewRtAttr(teamOptionType, nl.Uint8Attr(nlaFlag)),
				nl.NewRtAttr(teamOptionPortIfindex, nl.Uint32Attr(uint32(port.index))))
			if err != nil {
				return fmt.Errorf("disable port %s of %s: %w", name, lk.Name, err)
			}
		}
	}
	return nil
}

// setTeamOption sets one option of a team. A flag is set by having data.
//
// NB: the kernel answers ESRCH when nobody listens for the event that tells of
// the change, though it made the change.
func (s *space) setTeamOption(team int, option ...*nl.RtAttr) error {
	err := s.generic("team", teamCmdOptionsSet,
		nl.NewRtAttr(teamAttrIfindex, nl.Uint32Attr(uint32(team))),
		nested(teamAttrListOption, nested(teamAttrItemOption, option...)))
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return err
}
