// SPDX-License-Identifier: GPL-2.0-only

package meter

// The ways CrossCheck reads a charge through.
const (
	WayMemInfo  = "SO_MEMINFO"
	WayOutQueue = "SIOCOUTQ"
	WayProcRaw  = "/proc/net/raw"
	WayProcUDP  = "/proc/net/udp"
)

// CrossCheck reads the charge of fd through each way: bytes, or -1 where the
// way is shut. The last is /proc/net/udp for a UDP socket and /proc/net/raw
// for any other; packet sockets are in neither. The files are those of the
// calling thread's namespace. Readings are moments apart, so they agree only
// while nothing moves.
func CrossCheck(fd int, inode uint64) map[string]int64 {
	ways := map[string]int64{WayMemInfo: -1, WayOutQueue: -1}
	if m, err := ReadMemInfo(fd); err == nil {
		ways[WayMemInfo] = int64(m.WmemAlloc)
	}
	if q, err := outQueue(fd); err == nil {
		ways[WayOutQueue] = int64(q)
	}
	way, line, found := findInode(inode)
	if found {
		ways[way] = int64(line.TxQueue)
	} else {
		ways[WayProcRaw] = -1
	}
	return ways
}
