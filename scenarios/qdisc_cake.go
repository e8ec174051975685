// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// CakeOptions are the options of cake.
type CakeOptions struct {
	// Rate in bits per second; 0 for no shaping.
	Rate uint64
	// Limit in bytes of memory that may wait, at least a packet; 0 leaves the
	// kernel's own.
	Limit int
}

// Cake is the record of the kind.
func (qdiscTable) Cake() qdiscKind {
	return qdiscKind{
		Kind:    Kind{Name: "cake", About: "shapes, a queue for each flow", Config: []string{"CONFIG_NET_SCH_CAKE"}, Modules: []string{"sch_cake"}, Holds: true},
		options: func() QdiscOptions { return &CakeOptions{} },
	}
}

// Kind implements QdiscOptions.
func (*CakeOptions) Kind() string { return "cake" }

// Check implements QdiscOptions.
func (o *CakeOptions) Check() error { return notNegative("limit", o.Limit) }

func (o *CakeOptions) fields() []field {
	return []field{{"rate", bitrate(&o.Rate)}, {"limit", size(&o.Limit)}}
}
