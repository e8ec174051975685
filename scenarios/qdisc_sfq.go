// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// SfqOptions are the options of sfq.
type SfqOptions struct {
	// Limit in packets; 0 leaves the kernel's 127.
	Limit int
}

func sfqKind() qdiscKind {
	return qdiscKind{
		Kind:    Kind{"sfq", "a queue for each flow by turns", "CONFIG_NET_SCH_SFQ", "sch_sfq"},
		options: func() QdiscOptions { return &SfqOptions{} },
	}
}

// Kind implements QdiscOptions.
func (*SfqOptions) Kind() string { return "sfq" }

// Check implements QdiscOptions.
func (o *SfqOptions) Check() error { return notNegative("limit", o.Limit) }

func (o *SfqOptions) fields() []field { return []field{{"limit", whole(&o.Limit)}} }
