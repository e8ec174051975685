package scenarios

// HtbOptions are the options of htb with one class that takes everything. Both
// are needed.
type HtbOptions struct {
	// Rate in bits per second, 8 and more.
	Rate uint64
	// Burst in bytes.
	Burst int
}

func htbKind() qdiscKind {
	return qdiscKind{
		Kind:    Kind{"htb", "classes with a rate each", "CONFIG_NET_SCH_HTB", "sch_htb"},
		options: func() QdiscOptions { return &HtbOptions{} },
	}
}

// Kind implements QdiscOptions.
func (*HtbOptions) Kind() string { return "htb" }

// Check implements QdiscOptions.
func (o *HtbOptions) Check() error { return paced("htb", o.Rate, o.Burst) }

func (o *HtbOptions) fields() []field {
	return []field{{"rate", bitrate(&o.Rate)}, {"burst", size(&o.Burst)}}
}
