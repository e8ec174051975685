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

// linkKind is a kind of link and how to make its options.
type linkKind struct {
	Kind
	options func() LinkOptions
}

// qdiscKind is a kind of qdisc and how to make its options.
type qdiscKind struct {
	Kind
	options func() QdiscOptions
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
func Kinds() []Kind {
	var out []Kind
	for _, k := range linkKinds() {
		out = append(out, k.Kind)
	}
	return out
}

// QdiscKinds lists the kinds of qdisc.
func QdiscKinds() []Kind {
	var out []Kind
	for _, k := range qdiscKinds() {
		out = append(out, k.Kind)
	}
	return out
}
