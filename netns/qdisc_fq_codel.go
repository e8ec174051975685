package netns

import (
	"github.com/vishvananda/netlink"

	"skleak/scenarios"
)

// addFqCodel adds an fq_codel (net/sched/sch_fq_codel.c).
func (lk *link) addFqCodel(o *scenarios.FqCodelOptions) error {
	q := netlink.NewFqCodel(lk.root())
	q.Limit = uint32(o.Limit)
	return lk.space.nl.QdiscAdd(q)
}
