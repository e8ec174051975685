// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"fmt"
	"runtime"

	"github.com/prometheus/procfs"
)

// guestOverhead is what QEMU takes beside a guest's memory, in MB.
const guestOverhead = 200

// guestsPerProcessor: a guest waits for a third of its time, for grace periods and
// for charges to go by themselves.
const guestsPerProcessor = 2

// GuestsAtOnce is how many guests this machine has processors and memory for, of so many MB each.
func GuestsAtOnce(memory int) (int, error) {
	fs, err := procfs.NewDefaultFS()
	if err != nil {
		return 0, fmt.Errorf("how much memory is there: %w", err)
	}
	info, err := fs.Meminfo()
	if err != nil || info.MemAvailable == nil {
		return 0, fmt.Errorf("how much memory is there: %w", err)
	}
	fit := int(*info.MemAvailable / 1024 / uint64(memory+guestOverhead))
	return max(min(guestsPerProcessor*runtime.NumCPU(), fit), 1), nil
}
