// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// TbfOptions are the options of tbf. All are needed.
type TbfOptions struct {
	// Rate in bits per second, 8 and more: the kernel counts whole bytes.
	Rate uint64
	// Burst in bytes. A packet longer than this is dropped, a shorter one lets
	// that many bytes out at once.
	Burst int
	// Limit in bytes of what may wait.
	Limit int
}

// Tbf is the record of the kind.
func (qdiscTable) Tbf() qdiscKind {
	return qdiscKind{
		Kind:    Kind{Name: "tbf", About: "lets out so many bits a second", Config: []string{"CONFIG_NET_SCH_TBF"}, Modules: []string{"sch_tbf"}, Holds: true},
		options: func() QdiscOptions { return &TbfOptions{} },
	}
}

// Kind implements QdiscOptions.
func (*TbfOptions) Kind() string { return "tbf" }

// Check implements QdiscOptions.
func (o *TbfOptions) Check() error {
	if err := paced("tbf", o.Rate, o.Burst); err != nil {
		return err
	}
	if o.Limit < 1 {
		return wrong("limit", "tbf without a limit", "give the bytes that may wait, like 64MB")
	}
	return nil
}

// paced checks rate and burst, which tbf and htb need.
func paced(kind string, rate uint64, burst int) error {
	if rate < 8 {
		return wrong("rate", kind+" with a rate under 8bit", "give a rate like 8bit, 100kbit or 1mbit")
	}
	if burst < 1 {
		return wrong("burst", kind+" without a burst", "give its size in bytes, like 10kb")
	}
	return nil
}

func (o *TbfOptions) fields() []field {
	return []field{{"rate", bitrate(&o.Rate)}, {"burst", size(&o.Burst)}, {"limit", size(&o.Limit)}}
}
