// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// The guest's end of the channel.
const (
	virtioPorts  = "/sys/class/virtio-ports"
	virtioDriver = "/sys/bus/virtio/drivers/virtio_console"
	serialPort   = "/dev/ttyS1"
	// portWait is how long a kernel with the driver may take to show the port.
	portWait = 3 * time.Second
)

// openChannel opens the virtio port, or ttyS1 where the kernel has none.
func openChannel() (io.WriteCloser, error) {
	name, err := findPort(virtioPorts, virtioDriver, portWait)
	if err != nil {
		return nil, err
	}
	if name == "" {
		return openSerial(serialPort)
	}
	f, err := os.OpenFile(filepath.Join("/dev", name), os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("open the channel to the host: %w", err)
	}
	return f, nil
}

// findPort finds our port's device name; "" where the kernel has no virtio
// console. The ports come up a while after the driver.
func findPort(ports, driver string, wait time.Duration) (string, error) {
	for deadline := time.Now().Add(wait); ; time.Sleep(5 * time.Millisecond) {
		names, err := filepath.Glob(filepath.Join(ports, "*", "name"))
		if err != nil {
			return "", fmt.Errorf("look for the channel to the host: %w", err)
		}
		for _, file := range names {
			text, err := os.ReadFile(file)
			if err == nil && strings.TrimSpace(string(text)) == eventsPort {
				return filepath.Base(filepath.Dir(file)), nil
			}
		}
		if _, err := os.Stat(driver); err != nil || time.Now().After(deadline) {
			return "", nil //nolint:nilerr // without the driver there is no port
		}
	}
}

// openSerial opens a serial port and turns off all that would change the bytes.
func openSerial(name string) (io.WriteCloser, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("open the channel to the host: no virtio port and %w", err)
	}
	fd := int(f.Fd())
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err == nil {
		t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
		t.Cflag = unix.CS8 | unix.CREAD | unix.CLOCAL | unix.B115200
		err = unix.IoctlSetTermios(fd, unix.TCSETS, t)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("set up %s: %w", name, err), f.Close())
	}
	return drained{f}, nil
}

// drained is a serial port that is emptied before it is closed: the guest goes
// down right after.
type drained struct{ *os.File }

// Close implements io.Closer.
func (d drained) Close() error {
	// tcdrain(3) is TCSBRK with a non-zero argument.
	err := unix.IoctlSetInt(int(d.Fd()), unix.TCSBRK, 1)
	return errors.Join(err, d.File.Close())
}
