// SPDX-License-Identifier: GPL-2.0-only

// Package netns builds what a scenario describes inside the network namespace
// of the calling process, and hands back what can release it, step by step.
//
// It has one file per link kind, and one each for qdiscs, neighbours, filters
// and readers. It needs CAP_NET_ADMIN in the namespace's user namespace, and
// is meant for a sandbox child (package harness): everything it makes is made
// in namespaces of its own.
//
//	skleak run veth/same-netns
package netns
