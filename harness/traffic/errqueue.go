package traffic

import (
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
	for range maxQueuedErrors {
		_, _, _, _, err := unix.Recvmsg(s.fd, nil, nil, unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
	}
}
