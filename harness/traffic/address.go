// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// setAddressing sets TTL, TOS, and how the link is named, on an AF_INET socket.
func setAddressing(fd int, cfg Config, t Target, p Packet) error {
	if cfg.packetSocket() {
		return nil
	}
	conn, err := packetConn(fd)
	if err != nil {
		return err
	}
	return errors.Join(configure(ipv4.NewPacketConn(conn), cfg, t, p), conn.Close())
}

// packetConn gives a second descriptor of the socket, as x/net wants it.
func packetConn(fd int) (net.PacketConn, error) {
	twin, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("duplicate the socket: %w", err)
	}
	file := os.NewFile(uintptr(twin), "socket")
	conn, err := net.FilePacketConn(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("wrap the socket: %w", err)
	}
	return conn, nil
}

func configure(conn *ipv4.PacketConn, cfg Config, t Target, p Packet) error {
	// IP_TOS sets the priority that picks a band of the qdisc, so a socket that
	// brings its own header needs it too.
	if err := conn.SetTOS(int(p.Spec.TOS)); err != nil {
		return fmt.Errorf("set TOS %#x: %w", p.Spec.TOS, err)
	}
	if !p.Destination.IsMulticast() {
		if err := conn.SetTTL(int(p.Spec.TTL)); err != nil {
			return fmt.Errorf("set TTL %d: %w", p.Spec.TTL, err)
		}
		return nil
	}
	if err := conn.SetMulticastTTL(int(p.Spec.TTL)); err != nil {
		return fmt.Errorf("set multicast TTL %d: %w", p.Spec.TTL, err)
	}
	if err := conn.SetMulticastLoopback(false); err != nil {
		return fmt.Errorf("turn multicast loopback off: %w", err)
	}
	if !cfg.byMulticastIf(p.Destination) {
		return nil
	}
	if err := conn.SetMulticastInterface(&net.Interface{Index: t.Index}); err != nil {
		return fmt.Errorf("choose %s by IP_MULTICAST_IF: %w", t.Link, err)
	}
	return nil
}

// multicastRequests are the IP_MULTICAST_IF arguments of the targets.
func multicastRequests(targets []Target) []unix.IPMreqn {
	reqs := make([]unix.IPMreqn, len(targets))
	for i, t := range targets {
		reqs[i].Ifindex = int32(t.Index)
	}
	return reqs
}

// control is the ancillary data that names the link; nil where an option or the
// address does.
func control(cfg Config, t Target, p Packet) []byte {
	if cfg.packetSocket() || cfg.byMulticastIf(p.Destination) {
		return nil
	}
	cm := ipv4.ControlMessage{IfIndex: t.Index}
	// A header of its own has the source in it.
	if cfg.Socket != scenarios.SocketHdrIncl && t.Source.IsValid() {
		cm.Src = t.Source.AsSlice()
	}
	return cm.Marshal()
}

// socketName is the msg_name of a packet.
func socketName(cfg Config, t Target, p Packet) []byte {
	if cfg.packetSocket() {
		return linkName(t, p)
	}
	name := make([]byte, unix.SizeofSockaddrInet4)
	nativeUint16(name, unix.AF_INET)
	if cfg.Socket == scenarios.SocketUDP {
		bigUint16(name[2:], p.Port())
	}
	dst := p.Destination.As4()
	copy(name[4:], dst[:])
	return name
}

// linkName is a struct sockaddr_ll.
func linkName(t Target, p Packet) []byte {
	name := make([]byte, unix.SizeofSockaddrLinklayer)
	nativeUint16(name, unix.AF_PACKET)
	bigUint16(name[2:], unix.ETH_P_IP)
	nativeUint32(name[4:], uint32(t.Index))
	if t.ethernet() {
		name[11] = 6
		copy(name[12:], t.linkDestination(p.Destination))
	}
	return name
}
