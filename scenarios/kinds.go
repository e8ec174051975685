// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// Kind is one kind of link or qdisc, as `skleak list` and `skleak doctor` show it.
type Kind struct {
	// Name is what files call it.
	Name string
	// About is one line on what it is.
	About string
	// Config is the kernel option it needs, Module the module that has it.
	Config string
	Module string
}

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

// linkKinds is the table of link kinds, one line each.
func linkKinds() []linkKind {
	return []linkKind{
		tunKind(),
		tapKind(),
		iodineKind(),
		vethKind(),
		dummyKind(),
		ifbKind(),
		nlmonKind(),
		bridgeKind(),
		vlanKind(),
		macvlanKind(),
		macvtapKind(),
		ipvlanKind(),
		bondKind(),
		teamKind(),
		vxlanKind(),
		geneveKind(),
		greKind(),
		gretapKind(),
		ipipKind(),
		wireguardKind(),
		vrfKind(),
		macsecKind(),
		xfrmKind(),
		nicKind(),
	}
}

// qdiscKinds is the table of qdisc kinds, one line each.
func qdiscKinds() []qdiscKind {
	return []qdiscKind{
		plugKind(),
		tbfKind(),
		htbKind(),
		netemKind(),
		fqKind(),
		fqCodelKind(),
		pfifoKind(),
		prioKind(),
		sfqKind(),
		codelKind(),
		cakeKind(),
	}
}

// Kinds lists the kinds of link.
func Kinds() []Kind { return bare(linkKinds()) }

// QdiscKinds lists the kinds of qdisc.
func QdiscKinds() []Kind { return bare(qdiscKinds()) }
