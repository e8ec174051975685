// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// PrioOptions are the options of prio: none. Each of its bands is the kernel's
// pfifo of txqueuelen packets.
type PrioOptions struct{}

// Prio is the record of the kind.
func (qdiscTable) Prio() qdiscKind {
	return qdiscKind{
		Kind:    Kind{Name: "prio", About: "three bands, the first one first", Config: []string{"CONFIG_NET_SCH_PRIO"}, Modules: []string{"sch_prio"}},
		options: func() QdiscOptions { return &PrioOptions{} },
	}
}

// Kind implements QdiscOptions.
func (*PrioOptions) Kind() string { return "prio" }

// Check implements QdiscOptions.
func (*PrioOptions) Check() error { return nil }

func (*PrioOptions) fields() []field { return nil }
