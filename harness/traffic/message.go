// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"encoding/binary"

	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// maxBatch is the most packets handed over in one call.
const maxBatch = 64

// message is one packet as sendmsg wants it.
type message struct{ name, control, data []byte }

func newMessage(cfg Config, t Target, p Packet) (message, error) {
	data, err := content(cfg.Socket, t, p)
	if err != nil {
		return message{}, err
	}
	return message{name: socketName(cfg, t, p), control: control(cfg, t, p), data: data}, nil
}

// content is the part of the packet that the kind of socket sends.
func content(socket string, t Target, p Packet) ([]byte, error) {
	switch socket {
	case scenarios.SocketRaw:
		return p.Body(), nil
	case scenarios.SocketUDP:
		return p.UDP(), nil
	case scenarios.SocketPacket:
		return p.Frame(t)
	default:
		return p.IP(), nil
	}
}

// ring holds message headers for sendmmsg, long enough that a full batch that
// starts at any target lies in one piece. It is made once, so sending allocates
// nothing.
type ring struct {
	headers []unix.Mmsghdr
	targets int
}

func newRing(messages []message) *ring {
	r := &ring{headers: make([]unix.Mmsghdr, len(messages)+maxBatch), targets: len(messages)}
	for i := range r.headers {
		r.headers[i].Hdr = header(messages[i%len(messages)])
	}
	return r
}

func header(m message) unix.Msghdr {
	var h unix.Msghdr
	h.Name, h.Namelen = &m.name[0], uint32(len(m.name))
	if len(m.control) > 0 {
		h.Control = &m.control[0]
		h.SetControllen(len(m.control))
	}
	iov := &unix.Iovec{}
	if len(m.data) > 0 {
		iov.Base = &m.data[0]
	}
	iov.SetLen(len(m.data))
	h.Iov = iov
	h.SetIovlen(1)
	return h
}

// batch is the next n headers from a turn on.
func (r *ring) batch(turn, n int) []unix.Mmsghdr { return r.headers[turn : turn+n] }

func nativeUint16(b []byte, v uint16) { binary.NativeEndian.PutUint16(b, v) }
func nativeUint32(b []byte, v uint32) { binary.NativeEndian.PutUint32(b, v) }
func bigUint16(b []byte, v uint16)    { binary.BigEndian.PutUint16(b, v) }
