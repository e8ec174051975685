// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"golang.org/x/sys/unix"

	"skleak/record"
)

// askDrivers adds what the drivers of the links of s say of themselves
// (ETHTOOL_GDRVINFO, net/ethtool/ioctl.c). A link without an answer has none.
func (s *space) askDrivers(st *record.State) error {
	return s.quick(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		for i := range st.Links {
			l := &st.Links[i]
			if l.Netns != s.name {
				continue
			}
			if info, err := unix.IoctlGetEthtoolDrvinfo(fd, l.Name); err == nil {
				l.Driver = unix.ByteSliceToString(info.Driver[:])
				l.Firmware = unix.ByteSliceToString(info.Fw_version[:])
				l.Bus = unix.ByteSliceToString(info.Bus_info[:])
			}
		}
		return unix.Close(fd)
	})
}
