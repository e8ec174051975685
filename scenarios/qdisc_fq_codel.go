// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// FqCodelOptions are the options of fq_codel.
type FqCodelOptions struct {
	// Limit in packets; 0 leaves the kernel's 10240.
	Limit int
}

// FqCodel is the record of the kind.
func (qdiscTable) FqCodel() qdiscKind {
	return qdiscKind{
		Kind:    Kind{Name: "fq_codel", About: "a queue for each flow, kept short", Config: []string{"CONFIG_NET_SCH_FQ_CODEL"}, Modules: []string{"sch_fq_codel"}},
		options: func() QdiscOptions { return &FqCodelOptions{} },
	}
}

// Kind implements QdiscOptions.
func (*FqCodelOptions) Kind() string { return "fq_codel" }

// Check implements QdiscOptions.
func (o *FqCodelOptions) Check() error { return notNegative("limit", o.Limit) }

func (o *FqCodelOptions) fields() []field { return []field{{"limit", whole(&o.Limit)}} }
