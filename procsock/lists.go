// SPDX-License-Identifier: GPL-2.0-only

package procsock

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"

	"skleak/harness/meter"
)

// listed is a socket of a file under /proc/net.
type listed struct {
	Socket
	file string
}

// files are those that list sockets.
func files() []string { return []string{Raw, Raw6, UDP, UDP6, Packet} }

// list reads a namespace's files. One that this kernel lacks is no error; what
// cannot be read of a line is told beside the others.
func (n Namespace) list() ([]listed, error) {
	for _, pid := range n.PIDs {
		found, err := listAt(fmt.Sprintf("/proc/%d/net/", pid))
		// NB: the process may have ended or moved since its namespace was looked at.
		if inode, errNs := netnsOf(pid); errNs == nil && inode == n.Inode {
			return n.own(found), err
		}
	}
	var found []listed
	var bad error
	if err := n.Do(func() error {
		found, bad = listAt("/proc/thread-self/net/")
		return nil
	}); err != nil {
		return nil, err
	}
	return n.own(found), bad
}

func (n Namespace) own(found []listed) []listed {
	for i := range found {
		found[i].Netns, found[i].NetnsName = n.Inode, n.Name
	}
	return found
}

func listAt(dir string) ([]listed, error) {
	var all []listed
	var errs error
	for _, kind := range files() {
		found, err := listFile(dir, kind)
		all = append(all, found...)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = errors.Join(errs, fmt.Errorf("read /proc/net/%s: %w", kind, err))
		}
	}
	return all, errs
}

func listFile(dir, kind string) ([]listed, error) {
	f, err := os.Open(dir + kind)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	if kind == Packet {
		lines, err := meter.ParseProcPacket(f)
		var found []listed
		for _, l := range lines {
			found = append(found, listed{file: kind, Socket: Socket{
				Kind: kind, Protocol: int(l.Proto), Inode: l.Inode, UID: l.UID,
				Charge: Unknown, Unread: int64(l.Rmem), By: "/proc/net/" + kind,
			}})
		}
		return found, err
	}
	lines, err := meter.ParseProcRaw(f)
	var found []listed
	for _, l := range lines {
		s := Socket{
			Kind: kind, Local: address(l.Local), Inode: l.Inode, UID: l.UID,
			Charge: int64(l.TxQueue), Unread: int64(l.RxQueue), Drops: l.Drops, By: "/proc/net/" + kind,
		}
		if kind == Raw || kind == Raw6 {
			s.Protocol = int(l.LocalPort)
		} else {
			s.Port = int(l.LocalPort)
		}
		found = append(found, listed{Socket: s, file: kind})
	}
	return found, err
}

// address reads one as the files have it: words of 32 bits in the machine's order,
// which is taken for little endian. Any address is "".
func address(text string) string {
	b, err := hex.DecodeString(text)
	if err != nil || len(b)%4 != 0 {
		return text
	}
	for word := range slices.Chunk(b, 4) {
		slices.Reverse(word)
	}
	a, ok := netip.AddrFromSlice(b)
	if !ok {
		return text
	}
	if a.IsUnspecified() {
		return ""
	}
	return a.String()
}
