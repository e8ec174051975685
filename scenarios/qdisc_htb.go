// SPDX-License-Identifier: GPL-2.0-only

package scenarios

// HtbOptions are the options of htb with one class that takes everything. Rate
// and Burst are needed.
type HtbOptions struct {
	// Rate in bits per second, 8 and more.
	Rate uint64
	// Burst in bytes.
	Burst int
	// Leaf is the class's own queue, of any kind but htb; nil leaves the
	// kernel's pfifo of txqueuelen packets.
	Leaf *Qdisc
}

// Htb is the record of the kind.
func (qdiscTable) Htb() qdiscKind {
	return qdiscKind{
		Kind:    Kind{Name: "htb", About: "classes with a rate each", Config: []string{"CONFIG_NET_SCH_HTB"}, Modules: []string{"sch_htb"}, Holds: true},
		options: func() QdiscOptions { return &HtbOptions{} },
	}
}

// Kind implements QdiscOptions.
func (*HtbOptions) Kind() string { return "htb" }

// Check implements QdiscOptions.
func (o *HtbOptions) Check() error {
	if err := paced("htb", o.Rate, o.Burst); err != nil || o.Leaf == nil {
		return err
	}
	if o.Leaf.Kind() == o.Kind() {
		return wrong("leaf.kind", "an htb below an htb", "name another kind of qdisc")
	}
	return under("leaf", o.Leaf.Options.Check())
}

func (o *HtbOptions) fields() []field {
	return []field{{"rate", bitrate(&o.Rate)}, {"burst", size(&o.Burst)}, {"leaf", qdiscValue{&o.Leaf}}}
}

func (o *HtbOptions) leaf() *Qdisc { return o.Leaf }
