// SPDX-License-Identifier: GPL-2.0-only

package traffic

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// NB: calls that cannot block go by RawSyscall: handing the P back and taking
// it again costs as much as the send itself.

// sendmmsg hands over messages and says how many the kernel took. An error is
// that of the first message; a later one shows in the next call
// (__sys_sendmmsg, net/socket.c).
func sendmmsg(fd int, msgs []unix.Mmsghdr) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd),
		uintptr(unsafe.Pointer(unsafe.SliceData(msgs))), uintptr(len(msgs)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// sendmsg hands over one message.
func sendmsg(fd int, msg *unix.Msghdr) unix.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, uintptr(fd), uintptr(unsafe.Pointer(msg)), unix.MSG_DONTWAIT)
	return errno
}

// chooseLink sets IP_MULTICAST_IF.
func chooseLink(fd int, req *unix.IPMreqn) unix.Errno {
	_, _, errno := unix.RawSyscall6(unix.SYS_SETSOCKOPT, uintptr(fd), unix.SOL_IP, unix.IP_MULTICAST_IF,
		uintptr(unsafe.Pointer(req)), unix.SizeofIPMreqn, 0)
	return errno
}

// pollNow looks at the socket without waiting and gives what it found.
func pollNow(p *unix.PollFd) int16 {
	p.Revents = 0
	var zero unix.Timespec
	_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(p)), 1,
		uintptr(unsafe.Pointer(&zero)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return p.Revents
}

// pollFor waits up to d for the socket.
func pollFor(p *unix.PollFd, d time.Duration) int16 {
	p.Revents = 0
	ts := unix.NsecToTimespec(int64(d))
	_, _, errno := unix.Syscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(p)), 1,
		uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return p.Revents
}

// charge is sk_wmem_alloc in bytes by SIOCOUTQ; 0 where the ioctl is refused.
func charge(fd int) int {
	var n int32
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCOUTQ, uintptr(unsafe.Pointer(&n)))
	if errno != 0 {
		return 0
	}
	return int(n)
}

// rawSleepUntil sleeps until a moment of CLOCK_MONOTONIC.
func rawSleepUntil(ts *unix.Timespec) {
	_, _, _ = unix.RawSyscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME,
		uintptr(unsafe.Pointer(ts)), 0, 0, 0)
}
