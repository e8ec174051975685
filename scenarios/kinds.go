// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import "reflect"

// Kind is the record of a kind of link or qdisc: all that skleak knows of it
// beside how it is built (package netns) and what it counts (record.LinkTraits).
type Kind struct {
	// Name is what files call it.
	Name string
	// About is one line on what it is.
	About string
	// Config are the kernel options it needs, its own first, Modules the modules
	// that have it; none for what is always built in.
	Config  []string
	Modules []string
	// Loads is what the kernel asks modprobe for when the kind is used.
	Loads []string
	// Uses are needs that depend on a link's options: a mode, a cipher.
	Uses []Need
	// Programs are those that it is made by.
	Programs []Program
	// On is what a link is built upon, Carrier when it has a carrier.
	On      Base
	Carrier Carrier
	// Holds: packets wait in the qdisc and their sender is charged meanwhile.
	Holds bool
}

// Base is what links of a kind are built upon.
type Base string

// The bases. OnUnderlay is a parent, or IP itself, which carries what the link
// sends as packets of its own.
const (
	OnNothing  Base = ""
	OnParent   Base = "parent"
	OnPorts    Base = "ports"
	OnUnderlay Base = "underlay"
)

// Carrier says when a link that is up has a carrier.
type Carrier string

// The carriers.
const (
	CarrierAlways   Carrier = ""
	CarrierOfParent Carrier = "parent"
	CarrierOfPorts  Carrier = "ports"
	CarrierOfPeer   Carrier = "peer"
)

// Program is a program of the machine that a kind is made by.
type Program struct {
	// Name is what it is looked for by, sbin included; Path is where a guest has it.
	Name, Path string
}

// linkTable has a method for each kind of link, in the kind's own file, which
// gives its record; qdiscTable the same for qdiscs.
type (
	linkTable  struct{}
	qdiscTable struct{}
)

// kindOf is a kind and how to make its options.
type kindOf[O any] struct {
	Kind
	options func() O
}

type (
	linkKind  = kindOf[LinkOptions]
	qdiscKind = kindOf[QdiscOptions]
)

// optionsOf makes the options of the kind called name; ok says whether there is
// one.
func optionsOf[O any](kinds []kindOf[O], name string) (options O, ok bool) {
	for _, k := range kinds {
		if k.Name == name {
			return k.options(), true
		}
	}
	return options, false
}

func bare[O any](kinds []kindOf[O]) (out []Kind) {
	for _, k := range kinds {
		out = append(out, k.Kind)
	}
	return out
}

func namesOf[O any](kinds []kindOf[O]) (names []string) {
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	return names
}

// records calls every method of a table; they come in the order of their names.
func records[O any](table any) (out []kindOf[O]) {
	v := reflect.ValueOf(table)
	for i := range v.NumMethod() {
		if record, ok := v.Method(i).Interface().(func() kindOf[O]); ok {
			out = append(out, record())
		}
	}
	return out
}

func linkKinds() []linkKind   { return records[LinkOptions](linkTable{}) }
func qdiscKinds() []qdiscKind { return records[QdiscOptions](qdiscTable{}) }

// Kinds lists the kinds of link.
func Kinds() []Kind { return bare(linkKinds()) }

// QdiscKinds lists the kinds of qdisc.
func QdiscKinds() []Kind { return bare(qdiscKinds()) }

// LinkKind is the record of a kind of link; the zero value for none.
func LinkKind(name string) Kind { return kindNamed(linkKinds(), name) }

// QdiscKind is the record of a kind of qdisc; the zero value for none.
func QdiscKind(name string) Kind { return kindNamed(qdiscKinds(), name) }

func kindNamed[O any](kinds []kindOf[O], name string) Kind {
	for _, k := range kinds {
		if k.Name == name {
			return k.Kind
		}
	}
	return Kind{}
}
