// SPDX-License-Identifier: GPL-2.0-only

package ledger

import (
	"fmt"
	"strconv"
	"strings"
)

// Backlog is what waits in one NFQUEUE.
type Backlog struct {
	Number  uint16
	Waiting int
}

// ParseQueues reads /proc/net/netfilter/nfnetlink_queue: queue number, peer,
// how many wait, and more (seq_show, net/netfilter/nfnetlink_queue.c).
func ParseQueues(text string) ([]Backlog, error) {
	var out []Backlog
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) < 3 {
			return nil, fmt.Errorf("read the NFQUEUEs: line %q", line)
		}
		number, err := strconv.ParseUint(fields[0], 10, 16)
		if err != nil {
			return nil, fmt.Errorf("read the NFQUEUEs: number: %w", err)
		}
		waiting, err := strconv.ParseUint(fields[2], 10, 31)
		if err != nil {
			return nil, fmt.Errorf("read the NFQUEUEs: backlog: %w", err)
		}
		out = append(out, Backlog{Number: uint16(number), Waiting: int(waiting)})
	}
	return out, nil
}
