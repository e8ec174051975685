// SPDX-License-Identifier: GPL-2.0-only

// Package harness gives each scenario a throwaway network namespace, runs its
// experiment (harness/experiment) there, and sees to it that nothing is left.
//
// Local starts a sandbox child for each scenario (the same binary, executed
// again in new namespaces) and yields the events the children send. A keeper
// process beside each child deletes the links if the child dies, because a
// held skb pins its socket and the socket its namespace.
//
// It needs root, or a system that lets ordinary users make user namespaces:
//
//	skleak run tun/unread
package harness
