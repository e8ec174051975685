// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

// packetSocket is an AF_PACKET socket bound to one link. It sees what the link
// receives, and clones of what it sends.
type packetSocket struct{ *pump }

// openPacketSocket opens it on link inside s, unread or drained.
func openPacketSocket(s *space, link string, mode scenarios.PacketSocket) (*packetSocket, error) {
	r := scenarios.Reader{Mode: scenarios.ReaderNone}
	switch mode {
	case scenarios.UnreadPacketSocket:
	case scenarios.DrainPacketSocket:
		r.Mode = scenarios.ReaderDrain
	default:
		return nil, fmt.Errorf("open a packet socket on %s: mode %q is neither %s nor %s",
			link, mode, scenarios.UnreadPacketSocket, scenarios.DrainPacketSocket)
	}
	index, err := linkIndex(s, link)
	if err != nil {
		return nil, fmt.Errorf("open a packet socket on %s: %w", link, err)
	}
	var f *os.File
	err = s.quick(func() error {
		var err error
		f, err = bindPacketSocket(link, index)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open a packet socket on %s: %w", link, err)
	}
	p, err := newPump(r, f)
	if err != nil {
		return nil, fmt.Errorf("read the packet socket on %s: %w", link, err)
	}
	return &packetSocket{p}, nil
}

func linkIndex(s *space, name string) (int, error) {
	link, err := s.nl.LinkByName(name)
	if err != nil {
		return 0, fmt.Errorf("look for link %s: %w", name, err)
	}
	return link.Attrs().Index, nil
}

// bindPacketSocket asks for a protocol only with the link, so that nothing of
// other links gets in before. With link index 0 it binds to none.
func bindPacketSocket(name string, index int) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, packetUnsupported(os.NewSyscallError("socket", err))
	}
	// ETH_P_ALL in network byte order, as packet(7) wants it.
	to := &unix.SockaddrLinklayer{Protocol: unix.ETH_P_ALL<<8 | unix.ETH_P_ALL>>8, Ifindex: index}
	if err := unix.Bind(fd, to); err != nil {
		return nil, errors.Join(os.NewSyscallError("bind", err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), "packet socket on "+name), nil
}

func packetUnsupported(err error) error {
	if errors.Is(err, unix.EAFNOSUPPORT) {
		return &record.UnsupportedError{Feature: "packet socket", Hint: "CONFIG_PACKET or module af_packet", Err: err}
	}
	return err
}
