// SPDX-License-Identifier: GPL-2.0-only

package meter

import "golang.org/x/sys/unix"

// membarrierGlobal is MEMBARRIER_CMD_GLOBAL (include/uapi/linux/membarrier.h).
const membarrierGlobal = 1

// GracePeriod waits for an RCU grace period, after which what was closed before
// is about to be freed: MEMBARRIER_CMD_GLOBAL is synchronize_rcu
// (kernel/sched/membarrier.c). Where the kernel has no membarrier, or refuses it
// because of nohz_full, it does not wait and says so.
func GracePeriod() (waited bool) {
	_, _, errno := unix.Syscall(unix.SYS_MEMBARRIER, membarrierGlobal, 0, 0)
	return errno == 0
}
