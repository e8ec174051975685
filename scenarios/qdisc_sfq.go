// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// SfqOptions are the options of sfq.
type SfqOptions struct {
	// Limit in packets; 0 leaves the kernel's 127.
	Limit int
}

// Sfq is the record of the kind.
func (qdiscTable) Sfq() qdiscKind {
	return qdiscKind{
		Kind:    Kind{Name: "sfq", About: "a queue for each flow by turns", Config: []string{"CONFIG_NET_SCH_SFQ"}, Modules: []string{"sch_sfq"}},
		options: func() QdiscOptions { return &SfqOptions{} },
	}
}

// Kind implements QdiscOptions.
func (*SfqOptions) Kind() string { return "sfq" }

// Check implements QdiscOptions.
func (o *SfqOptions) Check() error { return notNegative("limit", o.Limit) }

func (o *SfqOptions) fields() []field { return []field{{"limit", whole(&o.Limit)}} }
