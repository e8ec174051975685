// SPDX-License-Identifier: GPL-2.0-only

package meter

// The doors CrossCheck reads a charge through.
const (
	DoorMemInfo  = "SO_MEMINFO"
	DoorOutQueue = "SIOCOUTQ"
	DoorProcRaw  = "/proc/net/raw"
	DoorProcUDP  = "/proc/net/udp"
)

// CrossCheck reads the charge of fd through each door: bytes, or -1 where the
// door is shut. The last is /proc/net/udp for a UDP socket and /proc/net/raw
// for any other; packet sockets are in neither. The files are those of the
// calling thread's namespace. Readings are moments apart, so they agree only
// while nothing moves.
func CrossCheck(fd int, inode uint64) map[string]int64 {
	doors := map[string]int64{DoorMemInfo: -1, DoorOutQueue: -1}
	if m, err := ReadMemInfo(fd); err == nil {
		doors[DoorMemInfo] = int64(m.WmemAlloc)
	}
	if q, err := outQueue(fd); err == nil {
		doors[DoorOutQueue] = int64(q)
	}
	door, line, found := findInode(inode)
	if found {
		doors[door] = int64(line.TxQueue)
	} else {
		doors[DoorProcRaw] = -1
	}
	return doors
}
