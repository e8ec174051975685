// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

// card is a network card of a guest.
type card struct {
	name string
	// device is its folder in sysfs, that of the bus the driver is on: PCI, or
	// virtio.
	device string
	fault  scenarios.NicFault
	mac    net.HardwareAddr
	// cable says that the driver sees the cable.
	cable bool
}

// errNotGuest is why a nic is not available on a host.
var errNotGuest = errors.New("it is a network card of a virtual machine")

// GiveCards moves the cards of s from the calling process's namespace, a
// guest's first, into that of process pid. A card that is not there is left to
// Build to tell of.
func GiveCards(s scenarios.Scenario, pid int) (err error) {
	own, err := ownSpace()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, own.close()) }()
	for _, l := range s.Links {
		if l.Kind() != "nic" {
			continue
		}
		found, err := own.linkByMAC(scenarios.CardMAC(s.Name, l.Name))
		if err != nil {
			return err
		}
		if found == nil {
			continue
		}
		if err := own.nl.LinkSetNsPid(found, pid); err != nil {
			return fmt.Errorf("move network card %s into the sandbox of %s: %w", found.Attrs().Name, s.Name, err)
		}
	}
	return nil
}

// linkByMAC finds a link that no driver of software made; nil when there is none.
func (s *space) linkByMAC(mac net.HardwareAddr) (netlink.Link, error) {
	links, err := s.links()
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		if isCard(l) && l.Attrs().HardwareAddr.String() == mac.String() {
			return l, nil
		}
	}
	return nil, nil
}

// isCard tells hardware from what was made: it has no kind for the kernel.
func isCard(l netlink.Link) bool {
	_, ok := l.(*netlink.Device)
	return ok && l.Attrs().EncapType == "ether"
}

// Nic finds the card that GiveCards brought and gives it its name.
func (b linkBuild) Nic(o *scenarios.NicOptions) error {
	w, lk := b.world, b.lk
	model := o.Card()
	if !w.cards {
		return fmt.Errorf("find %s %s: %w", lk.kind, lk.Name, &record.UnsupportedError{
			Feature: "network card " + o.Model, Hint: "run it with `skleak vm run` or `skleak matrix`", Err: errNotGuest,
		})
	}
	mac := scenarios.CardMAC(w.scenario, lk.Name)
	found, err := lk.space.linkByMAC(mac)
	if err != nil {
		return err
	}
	if found == nil {
		return fmt.Errorf("find %s %s: %w", lk.kind, lk.Name, whyNoCard(model))
	}
	if err := lk.space.nl.LinkSetName(found, lk.Name); err != nil {
		return fmt.Errorf("call the network card %s %s: %w", found.Attrs().Name, lk.Name, err)
	}
	device, err := filepath.EvalSymlinks("/sys/class/net/" + lk.Name + "/device")
	if err != nil {
		return fmt.Errorf("find the device of %s: %w", lk.Name, err)
	}
	lk.card = &card{name: lk.Name, device: device, fault: o.Fault, mac: mac, cable: model.Cable}
	return nil
}

// whyNoCard tells a kernel without the driver from a QEMU without the card, and
// both from a driver that does not take the card.
func whyNoCard(model scenarios.Card) error {
	drivers, err := filepath.Glob("/sys/bus/*/drivers/" + model.Driver)
	if err != nil {
		return err
	}
	if len(drivers) == 0 {
		return &record.UnsupportedError{
			Feature: "network card " + model.Model,
			Hint:    fmt.Sprintf("%s, module %s (Debian: the full flavour, not cloud)", model.Config, model.Module),
			Err:     fmt.Errorf("this kernel has no driver %s", model.Driver),
		}
	}
	there, err := hasPCI(model.PCI)
	if err != nil {
		return err
	}
	if !there {
		return &record.UnsupportedError{
			Feature: "network card " + model.Model,
			Hint:    "a newer QEMU: `qemu-system-x86_64 -device help` lists its network cards",
			Err:     errors.New("this machine has none"),
		}
	}
	return fmt.Errorf("driver %s made no interface of the %s that is there; the kernel's log may say why", model.Driver, model.Model)
}

// hasPCI looks for a device by its vendor and device number, like 8086:100e.
func hasPCI(id string) (bool, error) {
	folders, err := filepath.Glob("/sys/bus/pci/devices/*")
	if err != nil {
		return false, err
	}
	for _, dir := range folders {
		vendor, err1 := os.ReadFile(filepath.Join(dir, "vendor"))
		device, err2 := os.ReadFile(filepath.Join(dir, "device"))
		if err := errors.Join(err1, err2); err != nil {
			return false, fmt.Errorf("look at the machine's devices: %w", err)
		}
		if hexNumber(vendor)+":"+hexNumber(device) == id {
			return true, nil
		}
	}
	return false, nil
}

func hexNumber(text []byte) string { return strings.TrimPrefix(strings.TrimSpace(string(text)), "0x") }

// unbind takes the driver off the card, which is what deleting a link is to
// others: the interface goes, and with it all that the driver holds.
func (c *card) unbind() error {
	driver := filepath.Join(c.device, "driver", "unbind")
	err := os.WriteFile(driver, []byte(filepath.Base(c.device)), 0)
	if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("take the driver off network card %s: %w", c.name, err)
	}
	return nil
}

// leaveCard frees what a card holds that cannot be deleted. The kernel puts it
// back into the first namespace when this one goes.
func (s *space) leaveCard(l netlink.Link) error {
	if err := s.nl.LinkSetDown(l); err != nil && !gone(err) {
		return fmt.Errorf("set %s down in %s: %w", l.Attrs().Name, s.title(), err)
	}
	return nil
}

// Fault happens to a link in mid-burst.
type Fault struct {
	// On is the link, What the kind of fault.
	On   string
	What scenarios.NicFaultKind
	// After is how many packets are sent before.
	After int
	// Host is set when only the virtual machine's host can do it; it is the
	// hardware address of the card. Do then waits until it was done.
	Host string
	// Do brings it about.
	Do func(ctx context.Context) error
}

// Faults are what the scenario does to its links.
func (w *World) Faults() []Fault {
	var out []Fault
	for _, lk := range w.links {
		if lk.card == nil || lk.card.fault.What == scenarios.NoFault {
			continue
		}
		f := Fault{On: lk.Name, What: lk.card.fault.What, After: lk.card.fault.After}
		switch f.What {
		case scenarios.FaultUnplugged:
			f.Host, f.Do = lk.card.mac.String(), lk.awaitUnplugged
		case scenarios.FaultReset:
			f.Do = func(context.Context) error { return lk.downUp() }
		case scenarios.FaultMTU:
			f.Do = func(context.Context) error { return lk.setFaultMTU() }
		case scenarios.FaultHung:
			f.Do = func(context.Context) error { return lk.card.hang() }
		}
		out = append(out, f)
	}
	return out
}

// unplugTimeout bounds the wait for the host and for the driver: e1000 and
// e100 look at the cable every two seconds.
const unplugTimeout = 10 * time.Second

// unseenUnplug is how long the host has to pull a cable that the driver does not
// see: nothing in the guest tells when it was done.
const unseenUnplug = 300 * time.Millisecond

// awaitUnplugged waits until the link has lost its carrier.
func (lk *link) awaitUnplugged(ctx context.Context) error {
	if !lk.card.cable {
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s is unplugged: %w", lk.Name, ctx.Err())
		case <-time.After(unseenUnplug):
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, unplugTimeout)
	defer cancel()
	tick := time.NewTicker(carrierPoll)
	defer tick.Stop()
	for {
		l, err := lk.space.nl.LinkByIndex(lk.index)
		if err != nil {
			return fmt.Errorf("wait until %s is unplugged: %w", lk.Name, err)
		}
		if l.Attrs().RawFlags&unix.IFF_LOWER_UP == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait until %s is unplugged: it kept its carrier for %s", lk.Name, unplugTimeout)
		case <-tick.C:
		}
	}
}

// downUp makes the driver stop and start the card.
func (lk *link) downUp() error {
	if err := lk.setDown(); err != nil {
		return err
	}
	if err := lk.space.nl.LinkSetUp(lk.handle()); err != nil {
		return fmt.Errorf("set %s up again: %w", lk.Name, err)
	}
	return nil
}

// faultMTU differs from the usual 1500, and every packet of the catalogue fits.
const faultMTU = 1400

// setFaultMTU makes the driver reset the card with the link up.
func (lk *link) setFaultMTU() error {
	if err := lk.space.nl.LinkSetMTU(lk.handle(), faultMTU); err != nil {
		return fmt.Errorf("set the MTU of %s to %d: %w", lk.Name, faultMTU, err)
	}
	return nil
}

// The command register of a PCI device and its bus master bit
// (include/uapi/linux/pci_regs.h).
const (
	pciCommand       = 4
	pciCommandMaster = 0x4
)

// hang takes away the card's right to reach memory.
func (c *card) hang() (err error) {
	file := filepath.Join(c.device, "config")
	if _, err := os.Stat(file); err != nil {
		// NB: a virtio device sits on the PCI device that has the register.
		file = filepath.Join(filepath.Dir(c.device), "config")
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("hang %s: %w", c.name, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var word [2]byte
	if _, err := f.ReadAt(word[:], pciCommand); err != nil {
		return fmt.Errorf("hang %s: %w", c.name, err)
	}
	word[0] &^= pciCommandMaster
	if _, err := f.WriteAt(word[:], pciCommand); err != nil {
		return fmt.Errorf("hang %s: %w", c.name, err)
	}
	return nil
}
