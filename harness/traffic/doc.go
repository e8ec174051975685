// SPDX-License-Identifier: GPL-2.0-only

// Package traffic makes packets and sends them: the daemon's side of an
// experiment.
//
// Lookup names a packet, Build makes its bytes, OpenStream opens the socket or
// sockets a scenario asks for, and Stream.Run sends by turns through every
// link, as fast as can be or paced, while an Observer looks on:
//
//	spec, err := traffic.Lookup("ospf-hello")
//	link, err := traffic.FindTarget("v0", netip.Addr{})
//	stream, err := traffic.OpenStream(traffic.Config{
//		Socket: scenarios.SocketHdrIncl, Spec: spec, Targets: []traffic.Target{link},
//		Interface: scenarios.InterfaceMulticastIf,
//	}, false)
//	defer stream.Close()
//	stats, err := stream.Run(ctx, traffic.Plan{Count: 3000, Style: scenarios.StylePollFirst}, meter)
//
// It needs CAP_NET_RAW and a process whose every thread is in the sandbox's
// network namespace (package harness). It only ever sends; what comes back is
// dropped by a socket filter before it can be charged to the socket.
//
//	go run ./bench
package traffic
