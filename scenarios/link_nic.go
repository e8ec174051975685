// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import (
	"crypto/sha256"
	"fmt"
	"net"
	"slices"
)

// NicOptions are the options of a nic: a network card of a virtual machine,
// driven by the kernel's own driver. A host has none, whatever cards are in it.
type NicOptions struct {
	// Model is a card QEMU emulates, by QEMU's name; see Cards.
	Model string
	// Backend is what is behind the card; "" is BackendTakes.
	Backend NicBackend
	// Fault happens to the card in mid-burst.
	Fault NicFault
}

// NicBackend is what QEMU has behind a card.
type NicBackend string

// The backends. Behind BackendNone is a socket that is full from the start and
// that nobody reads; only a card that waits for its backend notices.
const (
	BackendTakes NicBackend = "takes"
	BackendNone  NicBackend = "none"
)

// NicFault is something that happens to a card while packets go out.
type NicFault struct {
	// What it is; "" is nothing.
	What NicFaultKind
	// After is how many packets are taken before.
	After int
}

// NicFaultKind is a kind of fault.
type NicFaultKind string

// The kinds of fault.
const (
	NoFault NicFaultKind = ""
	// FaultUnplugged pulls the cable, for good. The burst goes on until the driver
	// has noticed, or a moment longer with a card that does not show it.
	FaultUnplugged NicFaultKind = "unplugged"
	// FaultReset sets the link down and up again, which makes the driver stop and
	// start the card with all that is in its rings.
	FaultReset NicFaultKind = "reset"
	// FaultMTU changes the MTU, upon which some drivers reset the card and free its
	// rings while the link stays up.
	FaultMTU NicFaultKind = "mtu"
	// FaultHung takes the card off the bus as a master: it can neither read nor
	// write memory any more, so it finishes nothing and tells nothing.
	FaultHung NicFaultKind = "hung"
)

// Card is a model of network card.
type Card struct {
	// Model is QEMU's name.
	Model string
	// Driver is the kernel driver's name as its bus shows it, Module the module
	// that has it, Config the kernel option.
	Driver string
	Module string
	Config string
	// PCI is the device's vendor and device number, as in modalias.
	PCI string
	// DMA says that the card fetches packets from memory itself, so that it can
	// hang.
	DMA bool
	// Cable says that QEMU lets the driver see the cable; the others only lose
	// what is sent when it is out.
	Cable bool
	// MTU says that the driver resets the card for a new MTU: ndo_change_mtu of
	// e1000_main.c, netdev.c, igb_main.c, 8139cp.c and vmxnet3_drv.c.
	MTU bool
}

// Cards is the table of models, one line each.
func Cards() []Card {
	return []Card{
		{"i82559er", "e100", "e100", "CONFIG_E100", "8086:1209", true, false, false},
		{"i82550", "e100", "e100", "CONFIG_E100", "8086:1209", true, false, false},
		{"i82557b", "e100", "e100", "CONFIG_E100", "8086:1229", true, false, false},
		{"e1000", "e1000", "e1000", "CONFIG_E1000", "8086:100e", true, true, true},
		{"e1000e", "e1000e", "e1000e", "CONFIG_E1000E", "8086:10d3", true, false, true},
		{"igb", "igb", "igb", "CONFIG_IGB", "8086:10c9", true, false, true},
		{"rtl8139", "8139cp", "8139cp", "CONFIG_8139CP", "10ec:8139", true, true, true},
		{"pcnet", "pcnet32", "pcnet32", "CONFIG_PCNET32", "1022:2000", true, true, false},
		{"ne2k_pci", "ne2k-pci", "ne2k-pci", "CONFIG_NE2K_PCI", "10ec:8029", false, false, false},
		{"tulip", "tulip", "tulip", "CONFIG_TULIP", "1011:0019", true, false, false},
		{"vmxnet3", "vmxnet3", "vmxnet3", "CONFIG_VMXNET3", "15ad:07b0", true, true, true},
		{"virtio-net-pci", "virtio_net", "virtio_net", "CONFIG_VIRTIO_NET", "1af4:1041", true, true, false},
	}
}

// Nic is the record of the kind. Which driver is needed a link's card says.
func (linkTable) Nic() linkKind {
	k := Kind{Name: "nic", About: "network card of a VM, with its real driver"}
	for _, c := range Cards() {
		if !slices.Contains(k.Config, c.Config) {
			k.Config, k.Modules = append(k.Config, c.Config), append(k.Modules, c.Module)
		}
	}
	return linkKind{Kind: k, options: func() LinkOptions { return &NicOptions{} }}
}

// own takes the place of what the kind needs.
func (o *NicOptions) own() Need {
	c := o.Card()
	return Need{Feature: "network card " + c.Model, Config: []string{c.Config}, Modules: []string{c.Module}}
}

// Kind implements LinkOptions.
func (*NicOptions) Kind() string { return "nic" }

// Lower implements LinkOptions.
func (*NicOptions) Lower() []string { return nil }

// Check implements LinkOptions.
func (o *NicOptions) Check() error {
	var models []string
	for _, c := range Cards() {
		models = append(models, c.Model)
	}
	if err := oneOf("model", "model of network card", o.Model, models...); err != nil {
		return err
	}
	if err := oneOf("backend", "backend of a network card", o.Backend, "", BackendTakes, BackendNone); err != nil {
		return err
	}
	if err := under("fault", o.Fault.check()); err != nil {
		return err
	}
	if o.Fault.What == FaultHung && !o.Card().DMA {
		return wrong("fault.what", "a "+o.Model+" does no DMA and cannot hang so", "take another model, or another fault")
	}
	if o.Fault.What == FaultMTU && !o.Card().MTU {
		return wrong("fault.what", "the driver of a "+o.Model+" does not reset it for a new MTU", "take another model, or another fault")
	}
	return nil
}

func (f NicFault) check() error {
	if err := oneOf("what", "fault of a network card", f.What, NoFault, FaultUnplugged, FaultReset, FaultMTU, FaultHung); err != nil {
		return err
	}
	if (f.What == NoFault) != (f.After == 0) || f.After < 0 || f.After > MaxCount {
		return wrong("after", fmt.Sprintf("%d packets before the fault %s", f.After, shown(string(f.What))), "give both what and after, which is 1 to 100000000")
	}
	return nil
}

func (o *NicOptions) fields() []field {
	return []field{
		{"model", text(&o.Model)},
		{"backend", text(&o.Backend)},
		{"fault", object(&o.Fault)},
	}
}

func (f *NicFault) fields() []field {
	return []field{{"what", text(&f.What)}, {"after", whole(&f.After)}}
}

func (*NicOptions) checkAmong(l Link, _ []Link) error {
	if l.Netns != "" {
		return wrong("netns", "a nic in another namespace", "leave it in the sandbox's own")
	}
	return nil
}

// Card is the model's line of the table; empty for an unknown model.
func (o *NicOptions) Card() Card {
	for _, c := range Cards() {
		if c.Model == o.Model {
			return c
		}
	}
	return Card{}
}

// CardMAC is the hardware address by which a guest finds the card of a link: a
// locally administered one made of the scenario's and the link's name, so that
// each has a card of its own.
func CardMAC(scenario, link string) net.HardwareAddr {
	sum := sha256.Sum256([]byte(scenario + "\x00" + link))
	return append(net.HardwareAddr{0x02}, sum[:5]...)
}
