// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// CodelOptions are the options of codel.
type CodelOptions struct {
	// Limit in packets; 0 leaves the kernel's 1000.
	Limit int
}

// Codel is the record of the kind.
func (qdiscTable) Codel() qdiscKind {
	return qdiscKind{
		Kind:    Kind{Name: "codel", About: "drops what has waited too long", Config: []string{"CONFIG_NET_SCH_CODEL"}, Modules: []string{"sch_codel"}},
		options: func() QdiscOptions { return &CodelOptions{} },
	}
}

// Kind implements QdiscOptions.
func (*CodelOptions) Kind() string { return "codel" }

// Check implements QdiscOptions.
func (o *CodelOptions) Check() error { return notNegative("limit", o.Limit) }

func (o *CodelOptions) fields() []field { return []field{{"limit", whole(&o.Limit)}} }
