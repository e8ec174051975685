// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/safchain/ethtool"
	"golang.org/x/sys/unix"
)

// Rings gives how many packets the drivers of these links can have in their own
// rings, for those that tell: none where byte queue limits show that nothing is in
// flight (lib/dynamic_queue_limits.c), else the length of the ring (ethtool -g). It
// is of the calling thread's namespace.
func Rings(links []string) (map[string]int, error) {
	e, err := ethtool.NewEthtool()
	if err != nil {
		return nil, fmt.Errorf("ask drivers for their rings: %w", err)
	}
	defer e.Close()
	own := sysfsIsOurs()
	rings := map[string]int{}
	for _, link := range links {
		if own && nothingInFlight(filepath.Join("/sys/class/net", link)) {
			rings[link] = 0
			continue
		}
		if r, err := e.GetRing(link); err == nil && r.TxPending > 0 {
			rings[link] = int(r.TxPending)
		}
	}
	return rings, nil
}

// sysfsIsOurs: /sys shows the links of the namespace it was mounted in, which is
// taken to be that of the process.
func sysfsIsOurs() bool {
	var thread, process unix.Stat_t
	errThread := unix.Stat("/proc/thread-self/ns/net", &thread)
	errProcess := unix.Stat("/proc/1/ns/net", &process)
	return errThread == nil && errProcess == nil && thread.Ino == process.Ino
}

// nothingInFlight: every queue has byte queue limits in use, and nothing charged to
// them. A driver without shows a limit of 0.
func nothingInFlight(dir string) bool {
	queues, err := filepath.Glob(filepath.Join(dir, "queues", "tx-*", "byte_queue_limits"))
	if err != nil || len(queues) == 0 {
		return false
	}
	used := false
	for _, q := range queues {
		if number(filepath.Join(q, "inflight")) != 0 {
			return false
		}
		used = used || number(filepath.Join(q, "limit")) > 0
	}
	return used
}

// number reads one of a file; -1 where there is none.
func number(file string) int {
	text, err := os.ReadFile(file)
	if err != nil {
		return -1
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return -1
	}
	return n
}
