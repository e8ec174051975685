// SPDX-License-Identifier: GPL-2.0-only

// Package experiment is what runs inside a sandbox: it builds one scenario's
// links, measures what a packet costs, sends raw multicast, watches the sender's
// sk_wmem_alloc, looks for what frees it, and leaves all it saw in a Trace.
//
// It makes no namespace and judges nothing: package harness starts it in a
// namespace of its own, and the Trace is what harness/verdict takes.
//
//	trace, err := experiment.New(setup).Run(ctx)
package experiment
