// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"
)

// maxQueuedErrors bounds one draining; the queue itself is bounded by rcvbuf.
const maxQueuedErrors = 1024

// DrainErrors empties the socket's error queue (IP_RECVERR) and its pending
// error, and gives the errnos by name. While either is there poll keeps saying
// POLLERR, and the next send fails with an earlier packet's error.
func (s *Sender) DrainErrors() map[string]int {
	var seen refusals
	s.drain(&seen)
	return seen.names()
}

// drain counts into seen, unless it is nil.
func (s *Sender) drain(seen *refusals) {
	if pending, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR); err == nil && pending != 0 && seen != nil {
		seen.add(unix.Errno(pending))
	}
	s.queuedErrors(func(unix.Errno, uint8) {})
}

// wasReported empties the error queue and says whether an ICMP error in it gave
// errno to the send that just failed. Those are counted into seen.
func (s *Sender) wasReported(errno unix.Errno, seen *refusals) bool {
	found := false
	s.queuedErrors(func(queued unix.Errno, origin uint8) {
		if origin == unix.SO_EE_ORIGIN_ICMP || origin == unix.SO_EE_ORIGIN_ICMP6 {
			seen.add(queued)
			found = found || queued == errno
		}
	})
	return found
}

// mayBeReported reports whether ICMP errors give this errno
// (icmp_err_convert, net/ipv4/icmp.c).
func mayBeReported(errno unix.Errno) bool {
	switch errno {
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENOPROTOOPT, unix.ECONNREFUSED, unix.EOPNOTSUPP, unix.EHOSTDOWN, unix.ENONET, unix.EPROTO:
		return true
	}
	return false
}

// queuedErrors takes all errors off the queue and gives each with where it came from.
func (s *Sender) queuedErrors(each func(errno unix.Errno, origin uint8)) {
	var control [256]byte
	for range maxQueuedErrors {
		_, n, _, _, err := unix.Recvmsg(s.fd, nil, control[:], unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return
		}
		messages, err := unix.ParseSocketControlMessage(control[:n])
		if err != nil {
			continue
		}
		for _, m := range messages {
			if errno, origin, ok := extendedError(m); ok {
				each(errno, origin)
			}
		}
	}
}

// extendedError reads a struct sock_extended_err (include/uapi/linux/errqueue.h).
func extendedError(m unix.SocketControlMessage) (errno unix.Errno, origin uint8, ok bool) {
	of := m.Header.Level == unix.SOL_IP && m.Header.Type == unix.IP_RECVERR ||
		m.Header.Level == unix.SOL_IPV6 && m.Header.Type == unix.IPV6_RECVERR
	if !of || len(m.Data) < 5 {
		return 0, 0, false
	}
	return unix.Errno(binary.NativeEndian.Uint32(m.Data)), m.Data[4], true
}
