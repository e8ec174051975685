// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// PfifoOptions are the options of pfifo.
type PfifoOptions struct {
	// Limit in packets; 0 leaves txqueuelen.
	Limit int
}

// Pfifo is the record of the kind.
func (qdiscTable) Pfifo() qdiscKind {
	return qdiscKind{
		Kind:    Kind{Name: "pfifo", About: "first in, first out, so many packets", Config: []string{"CONFIG_NET_SCHED"}},
		options: func() QdiscOptions { return &PfifoOptions{} },
	}
}

// Kind implements QdiscOptions.
func (*PfifoOptions) Kind() string { return "pfifo" }

// Check implements QdiscOptions.
func (o *PfifoOptions) Check() error { return notNegative("limit", o.Limit) }

func (o *PfifoOptions) fields() []field { return []field{{"limit", whole(&o.Limit)}} }
