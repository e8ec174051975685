// SPDX-License-Identifier: GPL-2.0-only

package procsock

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// siocgskns is SIOCGSKNS of include/uapi/linux/sockios.h (4.9, c62cce2caee5).
const siocgskns = 0x894c

// OpenNetns opens the network namespace of a process's socket. It may be neither
// that of the process nor one with a name: a socket stays in the namespace it was
// made in. It takes CAP_NET_ADMIN there, and pidfd_getfd (5.6).
func OpenNetns(pid int, s Socket) (ns *os.File, err error) {
	p, err := openProcess(pid)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if p.refused != nil {
		return nil, p.refused
	}
	for _, o := range s.Owners {
		if o.PID != pid {
			continue
		}
		err = p.with(o.FD, s.Inode, func(dup int) error {
			fd, err := unix.IoctlRetInt(dup, siocgskns)
			if err != nil {
				return fmt.Errorf("open the network namespace of socket %d of process %d (SIOCGSKNS): %w", o.FD, pid, err)
			}
			unix.CloseOnExec(fd)
			ns = os.NewFile(uintptr(fd), fmt.Sprintf("net:[%d]", s.Netns))
			return nil
		})
		if why := refusal(pid, err); why != nil {
			err = why
		}
		return ns, err
	}
	return nil, fmt.Errorf("process %d has no descriptor of socket %d", pid, s.Inode)
}
