// SPDX-License-Identifier: GPL-2.0-only

// Package snapshot makes scenarios of the links a host really has: their kinds
// and stacking, queues, addresses, neighbours, and the netfilter rules that hold
// or drop. What the language of scenarios cannot say is told in a remark.
//
// Read looks and changes nothing; it takes CAP_NET_ADMIN for netfilter's rules.
// Make is pure. What they give is what `skleak run` takes:
//
//	skleak snapshot -o router.yaml && skleak run router.yaml
package snapshot
