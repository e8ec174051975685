// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"crypto/rand"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"

	"skleak/scenarios"
)

// Numbers of the macsec family (include/uapi/linux/if_macsec.h).
const (
	macsecCmdAddTxSA  = 4
	macsecAttrIfindex = 1
	macsecAttrSA      = 3
	macsecSAAn        = 1
	macsecSAActive    = 2
	macsecSAPn        = 3
	macsecSAKey       = 4
	macsecSAKeyID     = 5
	// macsecKeyLen is that of the default cipher, GCM-AES-128, and of a key's
	// id, in bytes.
	macsecKeyLen = 16
)

// Macsec makes a macsec on its parent, with a key of its own for sending
// if it is to have one: without, it drops everything (drivers/net/macsec.c,
// macsec_encrypt).
func (b linkBuild) Macsec(o *scenarios.MacsecOptions) error {
	w, lk := b.world, b.lk
	parent, err := w.parent(lk, o.Parent)
	if err != nil {
		return err
	}
	if err := lk.add(&netlink.GenericLink{LinkAttrs: lk.attrs(parent), LinkType: "macsec"}); err != nil || o.Keyless {
		return err
	}
	return lk.giveMacsecKey()
}

// giveMacsecKey gives a macsec the key it sends with.
func (lk *link) giveMacsecKey() error {
	l, err := lk.space.nl.LinkByName(lk.Name)
	if err != nil {
		return fmt.Errorf("find macsec %s: %w", lk.Name, err)
	}
	key := make([]byte, macsecKeyLen)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("make a key for macsec %s: %w", lk.Name, err)
	}
	err = lk.space.generic("macsec", macsecCmdAddTxSA,
		nl.NewRtAttr(macsecAttrIfindex, nl.Uint32Attr(uint32(l.Attrs().Index))),
		nested(macsecAttrSA,
			nl.NewRtAttr(macsecSAAn, nl.Uint8Attr(0)),
			nl.NewRtAttr(macsecSAActive, nl.Uint8Attr(1)),
			nl.NewRtAttr(macsecSAPn, nl.Uint32Attr(1)),
			nl.NewRtAttr(macsecSAKey, key),
			nl.NewRtAttr(macsecSAKeyID, make([]byte, macsecKeyLen))))
	if err != nil {
		return fmt.Errorf("give macsec %s a key to send with: %w", lk.Name, err)
	}
	return nil
}
