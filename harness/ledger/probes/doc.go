// SPDX-License-Identifier: GPL-2.0-only

// Package probes sees each skb that is charged to given sockets, by BPF
// programs on the kernel's functions: its charge with its real truesize, its
// end, its clones, and the queues that no tracepoint tells of.
//
// It needs root (CAP_BPF and CAP_PERFMON, and CAP_SYS_ADMIN to be handed on to
// another process), the kernel's BTF (/sys/kernel/btf/vmlinux,
// CONFIG_DEBUG_INFO_BTF) and BPF trampolines (fentry). Everything it makes
// hangs on file descriptors: nothing is pinned, nothing left after kill -9.
//
// The programs are C, compiled by `go generate`; `make bpf-check` tells whether
// the committed objects are what the C gives.
//
//	skleak trace hold/nfqueue
package probes

//go:generate go tool bpf2go -target bpfel,bpfeb -type event -cflags "-O2 -g -Wall -Werror -mcpu=v2 -idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include/aarch64-linux-gnu" bpf probes.bpf.c
