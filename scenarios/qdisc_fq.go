// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// FqOptions are the options of fq.
type FqOptions struct {
	// Limit in packets; 0 leaves the kernel's 10000.
	Limit int
	// MaxRate paces each flow, in bits per second; 0 for no pacing.
	MaxRate uint64
}

// Fq is the record of the kind.
func (qdiscTable) Fq() qdiscKind {
	return qdiscKind{
		Kind:    Kind{Name: "fq", About: "a queue for each flow, paced", Config: []string{"CONFIG_NET_SCH_FQ"}, Modules: []string{"sch_fq"}, Holds: true},
		options: func() QdiscOptions { return &FqOptions{} },
	}
}

// Kind implements QdiscOptions.
func (*FqOptions) Kind() string { return "fq" }

// Check implements QdiscOptions.
func (o *FqOptions) Check() error { return notNegative("limit", o.Limit) }

func (o *FqOptions) fields() []field {
	return []field{{"limit", whole(&o.Limit)}, {"maxrate", bitrate(&o.MaxRate)}}
}
