package campaign

import (
	"slices"
	"strings"

	"skleak/scenarios"
)

// UsesModule says whether building a scenario's links and qdiscs needs a
// module, by the tables of kinds. '-' and '_' are equal. What is a part of
// another (team_mode_broadcast of team) counts as that.
func UsesModule(sc scenarios.Scenario, module string) bool {
	return slices.Contains(modulesOf(sc), canonical(whole(module)))
}

// whole names the module in the tables of kinds that a module is a part of.
func whole(module string) string {
	switch {
	case strings.HasPrefix(module, "team_mode_"):
		return "team"
	case module == "8390":
		return "ne2k-pci"
	}
	return module
}

func canonical(module string) string { return strings.ReplaceAll(module, "-", "_") }

func modulesOf(sc scenarios.Scenario) []string {
	var all []string
	add := func(kinds []scenarios.Kind, name string) {
		for _, k := range kinds {
			if k.Name == name {
				all = append(all, strings.FieldsFunc(canonical(k.Module), func(r rune) bool { return r == ' ' || r == ',' })...)
			}
		}
	}
	common := func(c scenarios.Common) {
		if c.Qdisc != nil {
			add(scenarios.QdiscKinds(), c.Qdisc.Kind())
		}
	}
	for _, l := range sc.Links {
		common(l.Common)
		switch o := l.Options.(type) {
		case *scenarios.NicOptions:
			all = append(all, canonical(o.Card().Module))
		case *scenarios.VethOptions:
			add(scenarios.Kinds(), l.Kind())
			common(o.Peer)
		default:
			add(scenarios.Kinds(), l.Kind())
		}
	}
	return all
}
