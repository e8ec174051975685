// SPDX-License-Identifier: GPL-2.0-only

package vm

// readTSC reads the time stamp counter (RDTSC), after all that was to be read
// before.
func readTSC() uint64
