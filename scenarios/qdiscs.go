package scenarios

import "time"

// The options of each kind of qdisc. One type a kind; what they mean is in
// tc(8) and the page of the kind. Bytes, and bits per second for rates.

// PlugOptions are the options of plug, which lets nothing out until told.
type PlugOptions struct {
	// Limit in bytes; 0 leaves the kernel's own (txqueuelen x mtu).
	Limit int
}

// TbfOptions are the options of tbf. Rate and Burst are needed.
type TbfOptions struct {
	Rate  uint64
	Burst int
	Limit int
}

// HtbOptions are the options of htb with one class that takes everything.
type HtbOptions struct {
	Rate  uint64
	Burst int
}

// NetemOptions are the options of netem.
type NetemOptions struct {
	Delay  time.Duration
	Jitter time.Duration
	// Loss in percent, 0 to 100.
	Loss float64
	Rate uint64
	// Limit in packets; 0 leaves the kernel's 1000.
	Limit int
}

// FqOptions are the options of fq.
type FqOptions struct {
	// Limit in packets.
	Limit int
	// MaxRate paces each flow, in bits per second.
	MaxRate uint64
}

// FqCodelOptions are the options of fq_codel.
type FqCodelOptions struct {
	// Limit in packets.
	Limit int
}

// PfifoOptions are the options of pfifo.
type PfifoOptions struct {
	// Limit in packets; 0 leaves txqueuelen.
	Limit int
}
