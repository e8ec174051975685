// SPDX-License-Identifier: GPL-2.0-only

package meter

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// SocketsUsed is how many sockets live in the calling thread's network
// namespace ("sockets: used"). The count is exact, and a closed socket that an
// skb still pins is in it (net/core/sock.c, sock_inuse_get).
func SocketsUsed() (int, error) {
	const path = "/proc/thread-self/net/sockstat"
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("count sockets: %w", err)
	}
	used, err := ParseSockstat(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return 0, fmt.Errorf("count sockets in %s: %w", path, err)
	}
	return used, nil
}

// ParseSockstat finds "sockets: used N" in the text of /proc/net/sockstat.
func ParseSockstat(r io.Reader) (int, error) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxProcLine)
	for s.Scan() {
		rest, ok := strings.CutPrefix(s.Text(), "sockets: used ")
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(rest), 10, 31)
		if err != nil {
			return 0, fmt.Errorf("parse %q: %w", s.Text(), err)
		}
		return int(n), nil
	}
	if err := s.Err(); err != nil {
		return 0, err
	}
	return 0, errors.New(`no line "sockets: used"`)
}
