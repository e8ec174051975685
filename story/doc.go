// SPDX-License-Identifier: GPL-2.0-only

// Package story is the case of 2012 with the real daemons: what is run in a guest,
// what came of it, and what must hold of that. It does no I/O.
//
// A guest has a router: zebra and ospfd of Debian's frr (or bird) with a veth to a
// second router, a TUN of a real iodined that nobody reads, and the e100 card that
// was suspected. It needs QEMU and, for the mutant, what mutants need.
//
//	skleak story
package story

import (
	_ "embed" // for the guest's script
	"slices"
)

// Schema names the form of a Story as JSON.
const Schema = "skleak-story/1"

// script is what runs in the guest, as Variant.Args call it.
//
//go:embed guest.sh
var script string

// Script is the shell script that runs in the guest.
func Script() string { return script }

// Card is the network card the guest has, by QEMU's name: the e100 of 2012.
const Card = "i82559er"

// Variant is one way the story is told.
type Variant struct {
	Name  string
	About string
	// Kernel is as `skleak kernels` names it.
	Kernel string
	// Suite is Debian's suite to take the daemons from; "" for this machine's own.
	Suite string
	// Daemon is frr or bird.
	Daemon   string
	Iodined  bool
	Passive  bool
	Seconds  int
	Expected Expected
}

// Expected is what must hold of a variant.
type Expected int

// What is expected.
const (
	// Silence: the charge grows with each Hello into dns0 and with no other, until
	// Hellos stop everywhere.
	Silence Expected = iota
	// Nothing: no charge grows, and Hellos flow.
	Nothing
	// OwnSocket: dns0's socket alone grows, and Hellos flow on the others.
	OwnSocket
)

// Variants is the table of them, the story itself first.
func Variants() []Variant {
	const mutant, stock = "debian:6.1+tun-no-orphan", "debian:6.1"
	return []Variant{
		{Name: "2012", About: "one socket, and a TUN that keeps what is charged to it", Kernel: mutant, Daemon: "frr", Iodined: true, Seconds: 60, Expected: Silence},
		{Name: "stock", About: "the same on a sound kernel", Kernel: stock, Daemon: "frr", Iodined: true, Seconds: 40, Expected: Nothing},
		{Name: "no-iodined", About: "the same without iodined", Kernel: mutant, Daemon: "frr", Seconds: 40, Expected: Nothing},
		{Name: "passive", About: "the cure: passive-interface dns0", Kernel: mutant, Daemon: "frr", Iodined: true, Passive: true, Seconds: 40, Expected: Nothing},
		{Name: "frr10", About: "a later FRR, which has a socket for each link", Kernel: mutant, Suite: "trixie", Daemon: "frr", Iodined: true, Seconds: 40, Expected: OwnSocket},
		{Name: "bird", About: "BIRD, which has a socket for each link", Kernel: mutant, Daemon: "bird", Iodined: true, Seconds: 40, Expected: OwnSocket},
	}
}

// Find gives a variant by its name.
func Find(name string) (Variant, bool) {
	all := Variants()
	i := slices.IndexFunc(all, func(v Variant) bool { return v.Name == name })
	if i < 0 {
		return Variant{}, false
	}
	return all[i], true
}

// Packages are Debian's, for the guest.
func (v Variant) Packages() []string {
	daemon := map[string]string{"frr": "frr", "bird": "bird2"}[v.Daemon]
	return []string{"iproute2", daemon, "iodine", "tcpdump", "strace", "procps", "iputils-ping"}
}
