// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"errors"
	"fmt"

	"github.com/prometheus/procfs"
)

// SocketsUsed is how many sockets live in the calling thread's network
// namespace ("sockets: used"). The count is exact, and a closed socket that an
// skb still pins is in it (net/core/sock.c, sock_inuse_get).
func SocketsUsed() (int, error) {
	thread, err := procfs.NewFS("/proc/thread-self")
	if err != nil {
		return 0, fmt.Errorf("count sockets: %w", err)
	}
	stat, err := thread.NetSockstat()
	if err != nil {
		return 0, fmt.Errorf("count sockets: %w", err)
	}
	if stat.Used == nil {
		return 0, errors.New(`count sockets: /proc/thread-self/net/sockstat has no line "sockets: used"`)
	}
	return *stat.Used, nil
}
