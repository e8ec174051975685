// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// PrioOptions are the options of prio: none. Each of its bands is the kernel's
// pfifo of txqueuelen packets.
type PrioOptions struct{}

func prioKind() qdiscKind {
	return qdiscKind{
		Kind:    Kind{"prio", "three bands, the first one first", "CONFIG_NET_SCH_PRIO", "sch_prio"},
		options: func() QdiscOptions { return &PrioOptions{} },
	}
}

// Kind implements QdiscOptions.
func (*PrioOptions) Kind() string { return "prio" }

// Check implements QdiscOptions.
func (*PrioOptions) Check() error { return nil }

func (*PrioOptions) fields() []field { return nil }
