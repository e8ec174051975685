// SPDX-License-Identifier: GPL-2.0-only

// Package vm runs scenarios on another kernel: a kernel of the store, an
// initramfs whose /init is the skleak binary itself, a QEMU, and the stream of
// events that comes out of it.
//
// The host's side is VM. Its Run boots a guest, hands it the scenarios, yields
// its events, and goes on in a fresh guest when one panics, hangs or dies. The
// guest's side is Init (process 1: mounts, modules, power off) and Worker (its
// one child: runs the scenarios and sends the events).
//
// It needs qemu-system-x86_64 and a static binary (CGO_ENABLED=0). Trouble is
// either the kernel's, a BootError, or ours, an InfraError; both carry the
// console's end and the QEMU command.
//
//	skleak vm run --kernel debian:6.1 tun/unread hold/plug
package vm
