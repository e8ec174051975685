// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// PlugOptions are the options of plug, which lets nothing out until told.
type PlugOptions struct {
	// Limit in bytes; 0 leaves the kernel's own (txqueuelen x mtu).
	Limit int
}

// Plug is the record of the kind.
func (qdiscTable) Plug() qdiscKind {
	return qdiscKind{
		Kind:    Kind{Name: "plug", About: "lets nothing out until told", Config: []string{"CONFIG_NET_SCH_PLUG"}, Modules: []string{"sch_plug"}, Holds: true},
		options: func() QdiscOptions { return &PlugOptions{} },
	}
}

// Kind implements QdiscOptions.
func (*PlugOptions) Kind() string { return "plug" }

// Check implements QdiscOptions.
func (o *PlugOptions) Check() error { return notNegative("limit", o.Limit) }

func (o *PlugOptions) fields() []field { return []field{{"limit", size(&o.Limit)}} }
