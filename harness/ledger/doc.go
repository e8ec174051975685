// SPDX-License-Identifier: GPL-2.0-only

// Package ledger follows every skb of one experiment by the kernel's own
// tracepoints, and by BPF programs where they can be had, and says where those
// that are still charged were last seen.
//
// It needs root, perf_event_open(2) and tracefs; without them Open returns a
// record.UnsupportedError and the experiment goes on without a ledger. What BPF needs is
// in the package probes. Everything it opens is bound to file descriptors: nothing
// is left after kill -9.
//
//	skleak run --ledger vxlan/unresolved
//
// docs/ledger.md says what it can tell, and what it cannot.
package ledger
