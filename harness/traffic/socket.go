// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// openSocket opens the socket with all options that do not depend on the link.
func openSocket(cfg Config) (int, error) {
	family, kind, protocol, err := socketArgs(cfg)
	if err != nil {
		return -1, err
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, protocol)
	if err != nil {
		return -1, privilegeHint(err)
	}
	if err := setOptions(fd, cfg); err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

func privilegeHint(err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return fmt.Errorf("%w: it takes CAP_NET_RAW in this network namespace", err)
	}
	return err
}

func socketArgs(cfg Config) (family, kind, protocol int, err error) {
	switch cfg.Socket {
	case scenarios.SocketHdrIncl, scenarios.SocketRaw:
		return unix.AF_INET, unix.SOCK_RAW, int(cfg.Spec.Protocol), nil
	case scenarios.SocketUDP:
		return unix.AF_INET, unix.SOCK_DGRAM, unix.IPPROTO_UDP, nil
	// NB: protocol 0 binds a packet socket to nothing, so that it never receives.
	case scenarios.SocketPacket:
		return unix.AF_PACKET, unix.SOCK_RAW, 0, nil
	case scenarios.SocketPacketDgram:
		return unix.AF_PACKET, unix.SOCK_DGRAM, 0, nil
	default:
		return 0, 0, 0, fmt.Errorf("unknown kind of socket %q: use one of %v", cfg.Socket, scenarios.Sockets())
	}
}

func setOptions(fd int, cfg Config) error {
	if err := dropReceived(fd); err != nil {
		return err
	}
	if err := setSndBuf(fd, cfg.SndBuf); err != nil {
		return err
	}
	if cfg.packetSocket() {
		return nil
	}
	// Without it a packet to a broadcast address gives EACCES (ip_route_output_key,
	// net/ipv4/udp.c and raw.c): that would be our doing, not the link's.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1); err != nil {
		return fmt.Errorf("set SO_BROADCAST: %w", err)
	}
	// Without it a raw or UDP socket is not told of drops on the way out
	// (ip_send_skb, net/ipv4/ip_output.c).
	if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_RECVERR, 1); err != nil {
		return fmt.Errorf("set IP_RECVERR: %w", err)
	}
	if cfg.Socket == scenarios.SocketHdrIncl {
		if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_HDRINCL, 1); err != nil {
			return fmt.Errorf("set IP_HDRINCL: %w", err)
		}
		return nil
	}
	if cfg.Spec.RouterAlert {
		if err := unix.SetsockoptString(fd, unix.SOL_IP, unix.IP_OPTIONS, "\x94\x04\x00\x00"); err != nil {
			return fmt.Errorf("set the router alert option: %w", err)
		}
	}
	return nil
}

// setSndBuf asks for a send buffer; 0 leaves the default. Where
// net.core.wmem_max would cut it, it is forced, which only root of the first
// user namespace may (SO_SNDBUFFORCE, net/core/sock.c): for others it stays cut,
// and who compares SndBuf with twice what was asked sees that.
func setSndBuf(fd, bytes int) error {
	if bytes == 0 {
		return nil
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, bytes); err != nil {
		return fmt.Errorf("ask for a send buffer of %d bytes: %w", bytes, err)
	}
	got, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
	if err != nil {
		return fmt.Errorf("read SO_SNDBUF: %w", err)
	}
	if got < 2*bytes {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, bytes)
	}
	return nil
}

// dropReceived keeps what arrives from being charged to a socket nobody reads,
// and throws away what came before the filter did.
func dropReceived(fd int) error {
	none := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
	err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &none})
	if err != nil {
		return fmt.Errorf("attach a filter that drops all input: %w", err)
	}
	discardReceived(fd)
	return nil
}

// discardReceived takes what had come before the filter was there.
func discardReceived(fd int) {
	const most = 1024
	for range most {
		if _, _, err := unix.Recvfrom(fd, nil, unix.MSG_DONTWAIT|unix.MSG_TRUNC); err != nil {
			return
		}
	}
}
