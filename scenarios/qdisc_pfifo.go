// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// PfifoOptions are the options of pfifo.
type PfifoOptions struct {
	// Limit in packets; 0 leaves txqueuelen.
	Limit int
}

func pfifoKind() qdiscKind {
	return qdiscKind{
		Kind:    Kind{"pfifo", "first in, first out, so many packets", "CONFIG_NET_SCHED", "built in"},
		options: func() QdiscOptions { return &PfifoOptions{} },
	}
}

// Kind implements QdiscOptions.
func (*PfifoOptions) Kind() string { return "pfifo" }

// Check implements QdiscOptions.
func (o *PfifoOptions) Check() error { return notNegative("limit", o.Limit) }

func (o *PfifoOptions) fields() []field { return []field{{"limit", whole(&o.Limit)}} }
