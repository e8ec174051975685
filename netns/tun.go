// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/songgao/water"
	"golang.org/x/sys/unix"

	"skleak/record"
	"skleak/scenarios"
)

const (
	tunDevice = "/dev/net/tun"
	// iffBackpressure is IFF_BACKPRESSURE of linux/if_tun.h, new in the 7.2 cycle
	// (485e38995cc3); x/sys does not have it yet.
	iffBackpressure = 0x0080
	// maxTunQueues is MAX_TAP_QUEUES of drivers/net/tun.c.
	maxTunQueues = 256
)

// tunnel is an open TUN, TAP or macvtap with its reader. The interface of a
// TUN or TAP lives as long as the tunnel is open.
type tunnel struct{ *pump }

// openTun makes the TUN, or with tap the TAP, c.Name inside s and starts its
// reader. It leaves the link down and without addresses.
func openTun(s *space, c scenarios.Common, o scenarios.TunOptions, tap bool) (*tunnel, error) {
	kind := tunKind(tap)
	if err := checkTun(c.Name, o.Queues); err != nil {
		return nil, fmt.Errorf("create %s: %w", kind, err)
	}
	var files []*os.File
	err := s.quick(func() error {
		var err error
		files, err = openTunQueues(c.Name, o, tap)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("create %s %s: %w", kind, c.Name, err)
	}
	p, err := newPump(o.Reader, files...)
	if err != nil {
		return nil, fmt.Errorf("start the reader of %s %s: %w", kind, c.Name, err)
	}
	return &tunnel{p}, nil
}

func tunKind(tap bool) string {
	if tap {
		return "tap"
	}
	return "tun"
}

// checkTun refuses what the kernel, or water, would bend in silence: a longer
// name is cut, and one with a %d is a template.
func checkTun(name string, queues int) error {
	switch {
	case name == "":
		return errors.New("the name is empty; give it 1 to 15 characters")
	case len(name) >= unix.IFNAMSIZ:
		return fmt.Errorf("name %q has %d characters, the kernel takes at most %d", name, len(name), unix.IFNAMSIZ-1)
	case strings.ContainsAny(name, "%/: \t\n\v\f\r\x00"), name == ".", name == "..":
		return fmt.Errorf("name %q has characters that no interface name may have", name)
	case queues < 0 || queues > maxTunQueues:
		return fmt.Errorf("%d queues asked for, the kernel takes 1 to %d", queues, maxTunQueues)
	}
	return nil
}

// openTunQueues runs inside the namespace.
func openTunQueues(name string, o scenarios.TunOptions, tap bool) ([]*os.File, error) {
	flags := tunFlags(o, tap)
	if err := reserveTun(name, flags); err != nil {
		return nil, err
	}
	files := make([]*os.File, 0, max(o.Queues, 1))
	for range max(o.Queues, 1) {
		f, err := attachTun(name, flags)
		if err != nil {
			return nil, errors.Join(err, closeAll(files), releaseTun(name, flags))
		}
		files = append(files, f)
	}
	return files, nil
}

// releaseTun undoes reserveTun, unless the interface went with a descriptor.
func releaseTun(name string, flags uint16) error {
	there := func() bool { _, err := net.InterfaceByName(name); return err == nil }
	if !there() {
		return nil
	}
	f, err := attachTunFlags(name, flags)
	if err != nil {
		return fmt.Errorf("take interface %s away again: %w", name, err)
	}
	return f.Close()
}

func tunFlags(o scenarios.TunOptions, tap bool) uint16 {
	flags := uint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if tap {
		flags = unix.IFF_TAP | unix.IFF_NO_PI
	}
	if o.Queues > 1 {
		flags |= unix.IFF_MULTI_QUEUE
	}
	if o.Backpressure {
		flags |= iffBackpressure
	}
	return flags
}

// reserveTun makes the interface, persistent for the moment, so that all that
// can be refused is refused here.
//
// NB: water.New leaks its descriptor when its set-up fails. It now attaches to
// an interface that is there, and makes it end with its last descriptor.
func reserveTun(name string, flags uint16) error {
	fd, err := openTunDevice()
	if err != nil {
		return err
	}
	err = func() error {
		if err := checkTunFeatures(fd, flags); err != nil {
			return err
		}
		if err := setTunInterface(fd, name, flags|unix.IFF_TUN_EXCL); err != nil {
			return err
		}
		return os.NewSyscallError("ioctl TUNSETPERSIST", unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 1))
	}()
	return errors.Join(err, unix.Close(fd))
}

func openTunDevice() (int, error) {
	fd, err := unix.Open(tunDevice, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err == nil {
		return fd, nil
	}
	return -1, tunUnsupported(&os.PathError{Op: "open", Path: tunDevice, Err: err})
}

// tunUnsupported makes a skip of an error that says the device is not there or
// not for us.
func tunUnsupported(err error) error {
	var hint string
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		hint = "CONFIG_TUN or module tun (modprobe tun)"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		hint = "run as root, or allow it: chmod 666 " + tunDevice
	default:
		return err
	}
	return &record.UnsupportedError{Feature: tunDevice, Hint: hint, Err: err}
}

func checkTunFeatures(fd int, flags uint16) error {
	have, err := tunFeatures(fd)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		bit        uint32
		name, hint string
	}{
		{unix.IFF_MULTI_QUEUE, "IFF_MULTI_QUEUE", "a kernel of 3.8 or later"},
		{iffBackpressure, "IFF_BACKPRESSURE", "a kernel with 485e38995cc3"},
	} {
		if uint32(flags)&f.bit != 0 && have&f.bit == 0 {
			return &record.UnsupportedError{Feature: f.name, Hint: f.hint,
				Err: fmt.Errorf("TUNGETFEATURES answers %#x, which lacks %#x", have, f.bit)}
		}
	}
	return nil
}

// tunFeatures asks which flags the driver knows; it ignores others in silence.
func tunFeatures(fd int) (uint32, error) {
	have, err := unix.IoctlGetUint32(fd, unix.TUNGETFEATURES)
	return have, os.NewSyscallError("ioctl TUNGETFEATURES", err)
}

func setTunInterface(fd int, name string, flags uint16) error {
	req, err := unix.NewIfreq(name)
	if err != nil {
		return fmt.Errorf("name %q: %w", name, err)
	}
	req.SetUint16(flags)
	err = unix.IoctlIfreq(fd, unix.TUNSETIFF, req)
	if errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("ioctl TUNSETIFF: %w: an interface of that name is there already", err)
	}
	return os.NewSyscallError("ioctl TUNSETIFF", err)
}

// attachTun opens one queue of the interface reserved.
func attachTun(name string, flags uint16) (*os.File, error) {
	if flags&iffBackpressure != 0 {
		return attachTunFlags(name, flags)
	}
	return attachTunWater(name, flags)
}

// attachTunWater opens a queue through water, keeping other goroutines from
// starting a process before the descriptor is close-on-exec.
func attachTunWater(name string, flags uint16) (*os.File, error) {
	config := water.Config{DeviceType: water.TUN, PlatformSpecificParams: water.PlatformSpecificParams{
		Name: name, MultiQueue: flags&unix.IFF_MULTI_QUEUE != 0,
	}}
	if flags&unix.IFF_TAP != 0 {
		config.DeviceType = water.TAP
	}
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	link, err := water.New(config)
	if err != nil {
		return nil, fmt.Errorf("attach to it: %w", err)
	}
	f, ok := link.ReadWriteCloser.(*os.File)
	if !ok {
		return nil, errors.Join(fmt.Errorf("attach to it: water gave a %T, not a file", link.ReadWriteCloser), link.Close())
	}
	if err := setCloexec(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func setCloexec(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return fmt.Errorf("set close-on-exec: %w", err)
	}
	var set error
	if err := raw.Control(func(fd uintptr) {
		_, set = unix.FcntlInt(fd, unix.F_SETFD, unix.FD_CLOEXEC)
	}); err != nil {
		return fmt.Errorf("set close-on-exec: %w", err)
	}
	return os.NewSyscallError("fcntl F_SETFD", set)
}

// attachTunFlags opens a queue with flags that water cannot ask for. The file
// is made after TUNSETIFF: a TUN with no interface would make the poller see
// an error at once.
func attachTunFlags(name string, flags uint16) (*os.File, error) {
	fd, err := openTunDevice()
	if err != nil {
		return nil, err
	}
	if err := setTunInterface(fd, name, flags); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	if err := unix.IoctlSetInt(fd, unix.TUNSETPERSIST, 0); err != nil {
		return nil, errors.Join(os.NewSyscallError("ioctl TUNSETPERSIST", err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), name), nil
}
