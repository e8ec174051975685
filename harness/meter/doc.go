// SPDX-License-Identifier: GPL-2.0-only

// Package meter reads how much of what a socket sent is still charged to it
// (sk_wmem_alloc), over time and through several ways, and what stands beside
// that: whether poll says writable, whether a parked waiter was woken, how many
// sockets and skbs are alive, what the kernel log says.
//
// Reading a socket of one's own needs no privilege. Calibrating needs
// CAP_NET_ADMIN in a network namespace of one's own; the slab count and the
// kernel log need root of the machine, and report an error elsewhere.
//
//	go test ./harness/meter/
//	skleak run hold/tbf
package meter
