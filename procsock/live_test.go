// SPDX-License-Identifier: GPL-2.0-only

package procsock

import (
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"skleak/internal/testkit"
)

func TestMain(m *testing.M) { os.Exit(testkit.Main(m, testkit.Files(), testkit.NoChildren)) }

// A raw socket of this very process, in another namespace, behind a queue that lets
// nothing out, and one beside it that holds nothing.
func TestLook(t *testing.T) {
	testkit.Root(t, "network namespaces")
	path, handle := testkit.Namespace(t)
	testkit.Stuck(t, path, testkit.Veth(t, handle, "v0", "v1", "10.9.9.1/24"))
	var stuck, idle int
	dweller := exec.Command("sleep", "60")
	err := in(path, func() (err error) {
		if stuck, err = rawSocket("v0"); err != nil {
			return err
		}
		if idle, err = rawSocket(""); err != nil {
			return err
		}
		// A namespace is found by who lives in it.
		return dweller.Start()
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = dweller.Process.Kill()
		_ = dweller.Wait()
	})
	const sent = 16
	for range sent {
		if err := unix.Sendto(stuck, make([]byte, 64), 0, &unix.SockaddrInet4{Addr: [4]byte{224, 0, 0, 5}}); err != nil {
			t.Fatal(err)
		}
	}
	f := NewFinder(Select{PIDs: []int{os.Getpid()}})
	scan, err := f.Look()
	if err != nil {
		t.Fatal(err)
	}
	charges := map[int]int64{}
	for _, s := range scan.Sockets {
		if s.Kind != Raw {
			continue
		}
		if !s.Exact() || s.Protocol != 89 || s.SndBuf <= 0 || len(s.Owners) != 1 || s.Owners[0].PID != os.Getpid() {
			t.Errorf("%+v", s)
			continue
		}
		charges[s.Owners[0].FD] = s.Charge
	}
	want, err := unix.IoctlGetInt(stuck, unix.SIOCOUTQ)
	if err != nil {
		t.Fatal(err)
	}
	if len(charges) != 2 || want == 0 || charges[stuck] != int64(want) || charges[idle] != 0 {
		t.Errorf("charges %v, want %d bytes on fd %d and nothing on fd %d", charges, want, stuck, idle)
	}
	// A duplicate that stayed open would keep a closed socket.
	for _, err := range []error{unix.Close(stuck), unix.Close(idle), f.Close()} {
		if err != nil {
			t.Error(err)
		}
	}
}

// in calls f in the namespace at path, on a thread of its own.
func in(path string, f func() error) error {
	return onThread(func() error {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer func() { _ = unix.Close(fd) }()
		if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
			return err
		}
		return f()
	})
}

func rawSocket(link string) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 89)
	if err != nil || link == "" {
		return fd, err
	}
	return fd, unix.BindToDevice(fd, link)
}
