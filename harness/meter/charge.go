// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// saturated is the lowest reading that can only come of a counter taken below
// zero.
const saturated = 1 << 31

// Saturated reports whether a charge is that of a counter taken below zero. A
// refcount_t then stays at 0xC0000000 and reads one less (include/linux/refcount.h,
// sk_wmem_alloc_get in include/net/sock.h); older kernels' atomic_t wraps to
// the likes of 0xFFFF4600.
func Saturated(charge uint32) bool { return charge >= saturated }

// MemInfo is what SO_MEMINFO says of a socket, in bytes (net/core/sock.c,
// sk_get_meminfo).
type MemInfo struct {
	// WmemAlloc is the charge: what was sent and is not freed.
	WmemAlloc uint32
	// SndBuf is sk_sndbuf as the kernel uses it, twice what was asked for.
	SndBuf uint32
	// RmemAlloc and RcvBuf are the same for what was received and not read.
	RmemAlloc uint32
	RcvBuf    uint32
	// Drops counts packets not received for lack of room.
	Drops uint32
}

// ReadMemInfo asks fd for SO_MEMINFO, which kernels have since 4.12 (a2d133b1d465).
func ReadMemInfo(fd int) (MemInfo, error) {
	var v [unix.SK_MEMINFO_VARS]uint32
	size := uint32(unsafe.Sizeof(v))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&v)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return MemInfo{}, fmt.Errorf("read SO_MEMINFO of socket %d: %w", fd, errno)
	}
	return MemInfo{
		WmemAlloc: v[unix.SK_MEMINFO_WMEM_ALLOC],
		SndBuf:    v[unix.SK_MEMINFO_SNDBUF],
		RmemAlloc: v[unix.SK_MEMINFO_RMEM_ALLOC],
		RcvBuf:    v[unix.SK_MEMINFO_RCVBUF],
		Drops:     v[unix.SK_MEMINFO_DROPS],
	}, nil
}

// Charge is the bytes of what fd sent that are still charged to it: by
// SO_MEMINFO, where that is missing by SIOCOUTQ, else from the files under
// /proc/net, which must be those of the socket's own namespace.
func Charge(fd int) (uint32, error) {
	m, errMem := ReadMemInfo(fd)
	if errMem == nil {
		return m.WmemAlloc, nil
	}
	q, errQ := outQueue(fd)
	if errQ == nil {
		return q, nil
	}
	inode, err := Inode(fd)
	if err == nil {
		_, line, found := findInode(inode)
		if found {
			return line.TxQueue, nil
		}
		err = fmt.Errorf("inode %d is not under /proc/thread-self/net", inode)
	}
	return 0, fmt.Errorf("read the charge of socket %d: %w", fd, errors.Join(errMem, errQ, err))
}

// outQueue is SIOCOUTQ. It is an int to the kernel; a saturated counter is
// negative there.
func outQueue(fd int) (uint32, error) {
	n, err := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	if err != nil {
		return 0, fmt.Errorf("ask socket %d for SIOCOUTQ: %w", fd, err)
	}
	return uint32(n), nil
}

// Inode is the socket's inode, by which the files under /proc/net know it.
func Inode(fd int) (uint64, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, fmt.Errorf("stat socket %d: %w", fd, err)
	}
	return st.Ino, nil
}

// Writable is a fresh poll of fd with no waiting: whether it has POLLOUT. It
// always reckons anew (sock_writeable: sk_wmem_alloc below half of sk_sndbuf).
func Writable(fd int) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	for {
		_, err := unix.Poll(fds, 0)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return false, fmt.Errorf("poll socket %d: %w", fd, err)
		case fds[0].Revents&unix.POLLNVAL != 0:
			return false, fmt.Errorf("poll socket %d: %w", fd, unix.EBADF)
		}
		return fds[0].Revents&unix.POLLOUT != 0, nil
	}
}
