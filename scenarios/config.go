// SPDX-License-Identifier: GPL-2.0-only

package scenarios

import "slices"

// ConfigOptions are the kernel options that matter to a scenario: those its links,
// qdiscs and filters need, and those by which kernels differ in how they hand
// packets over.
func ConfigOptions(s Scenario) []string {
	options := []string{
		"CONFIG_SMP", "CONFIG_PREEMPT_NONE", "CONFIG_PREEMPT_VOLUNTARY", "CONFIG_PREEMPT", "CONFIG_PREEMPT_LAZY",
		"CONFIG_PREEMPT_RT", "CONFIG_HZ", "CONFIG_HIGH_RES_TIMERS", "CONFIG_NET_SCHED", "CONFIG_DEFAULT_NET_SCH",
		"CONFIG_BQL", "CONFIG_DEBUG_NET", "CONFIG_PROVE_LOCKING", "CONFIG_KASAN",
	}
	add := func(name string, among []Kind) {
		for _, k := range among {
			if k.Name == name && !slices.Contains(options, k.Config) {
				options = append(options, k.Config)
			}
		}
	}
	for _, l := range s.Links {
		add(l.Kind(), Kinds())
		qdiscs := []*Qdisc{l.Qdisc}
		if o, ok := l.Options.(*VethOptions); ok {
			qdiscs = append(qdiscs, o.Peer.Qdisc)
		}
		for _, q := range qdiscs {
			if q == nil {
				continue
			}
			for _, kind := range q.Kinds() {
				add(kind, QdiscKinds())
			}
		}
	}
	if len(s.Filters) > 0 {
		options = append(options, "CONFIG_NF_TABLES", "CONFIG_NFT_QUEUE", "CONFIG_NETFILTER_NETLINK_QUEUE")
	}
	return options
}
