// SPDX-License-Identifier: GPL-2.0-only

package netns

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"skleak/internal/capture"
	"skleak/record"
	"skleak/scenarios"
)

const (
	iodineCommand = "iodined"
	// iodineReady is what iodined says last, when address and MTU are set.
	iodineReady = "Listening to dns for domain"
	// iodinePatience bounds the wait for it; here it takes 20 ms.
	iodinePatience = 10 * time.Second
	// processOutput bounds what is kept of a program's output.
	processOutput = 8 << 10
)

// process is a program running inside a namespace.
type process struct {
	name  string
	cmd   *exec.Cmd
	said  *capture.Tail
	ended chan struct{}
	// err is how it ended, readable once ended is closed.
	err error
}

// startIodine runs a real iodined without a client inside s: the TUN that
// silenced ospfd in 2012. It listens on 127.0.0.1 alone, and returns when its
// interface c.Name is up with the first of c.Addresses.
func startIodine(ctx context.Context, s *space, c scenarios.Common) (*process, error) {
	p, err := launchIodine(s, c)
	if err != nil {
		return nil, fmt.Errorf("create iodine %s: %w", c.Name, err)
	}
	ctx, stop := context.WithTimeout(ctx, iodinePatience)
	defer stop()
	if err := p.awaitTun(ctx, s, c.Name); err != nil {
		return nil, errors.Join(fmt.Errorf("create iodine %s: %w; it said: %s", c.Name, err, saying(p.said)), p.Close())
	}
	return p, nil
}

func launchIodine(s *space, c scenarios.Common) (*process, error) {
	if err := checkTun(c.Name, 1); err != nil {
		return nil, err
	}
	path, err := findIodine()
	if err != nil {
		return nil, err
	}
	address, err := iodineAddress(c.Addresses)
	if err != nil {
		return nil, err
	}
	if err := checkTunDevice(); err != nil {
		return nil, err
	}
	port, err := freeUDPPort(s)
	if err != nil {
		return nil, err
	}
	return launch(s, path, "-f", "-c", "-P", "pw", "-d", c.Name,
		"-p", strconv.Itoa(port), "-l", "127.0.0.1", address, "t.example.org")
}

// findIodine looks where Debian puts it too, since an ordinary user's PATH
// lacks sbin.
func findIodine() (string, error) {
	for _, name := range []string{iodineCommand, "/usr/sbin/" + iodineCommand} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", &record.UnsupportedError{Feature: iodineCommand, Hint: "apt-get install iodine; a guest gets it from its host", Err: exec.ErrNotFound}
}

// iodineAddress takes what iodined does: one IPv4 address with 9 to 30 bits of
// network (src/iodined.c of iodine 0.7).
func iodineAddress(addresses []string) (string, error) {
	for _, a := range addresses {
		p, err := netip.ParsePrefix(a)
		if err != nil {
			return "", fmt.Errorf("address %q: %w", a, err)
		}
		if !p.Addr().Is4() {
			continue
		}
		if p.Bits() < 9 || p.Bits() > 30 {
			return "", fmt.Errorf("address %s: iodined takes a /9 to a /30", a)
		}
		return a, nil
	}
	return "", errors.New("iodined needs an IPv4 address; give the link one, such as 172.29.198.129/28")
}

func checkTunDevice() error {
	f, err := os.OpenFile(tunDevice, os.O_RDWR, 0)
	if err != nil {
		return tunUnsupported(err)
	}
	return f.Close()
}

// freeUDPPort sets lo up, which 127.0.0.1 needs, and finds a port on it.
func freeUDPPort(s *space) (int, error) {
	lo, err := s.nl.LinkByName("lo")
	if err != nil {
		return 0, fmt.Errorf("look for lo: %w", err)
	}
	if err := s.nl.LinkSetUp(lo); err != nil {
		return 0, fmt.Errorf("set lo up: %w", err)
	}
	port := 0
	err = s.do(func() error {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return fmt.Errorf("find a free port: %w", err)
		}
		if at, ok := conn.LocalAddr().(*net.UDPAddr); ok {
			port = at.Port
		}
		return conn.Close()
	})
	return port, err
}

// launch starts a program inside s. It dies with this process.
//
// NB: the parent-death signal comes when the thread that started the program
// ends (golang/go#27505), so that thread waits for it.
func launch(s *space, path string, args ...string) (*process, error) {
	p := &process{name: path, said: &capture.Tail{Limit: processOutput}, ended: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		defer close(p.ended)
		runtime.LockOSThread()
		if err := netns.Set(s.handle); err != nil {
			started <- fmt.Errorf("enter network namespace %q: %w", s.name, err)
			return
		}
		// It lives until its Close, not as long as the caller's context.
		p.cmd = exec.CommandContext(context.Background(), path, args...)
		p.cmd.Stdout, p.cmd.Stderr = p.said, p.said
		p.cmd.WaitDelay = time.Second
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		<-p.ended
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	return p, nil
}

// awaitTun waits until the program is ready and the interface is up.
func (p *process) awaitTun(ctx context.Context, s *space, name string) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		if p.said.Contains(iodineReady) {
			return checkTunIsUp(s, name)
		}
		select {
		case <-p.ended:
			return fmt.Errorf("%s ended: %w", p.name, cmp.Or(p.err, errors.New("exit status 0")))
		case <-ctx.Done():
			return fmt.Errorf("wait for %s to set up its interface: %w", p.name, ctx.Err())
		case <-tick.C:
		}
	}
}

// checkTunIsUp sees that the interface has the very name that was asked for:
// iodined cuts a long one in silence.
func checkTunIsUp(s *space, name string) error {
	link, err := s.nl.LinkByName(name)
	if err != nil {
		return fmt.Errorf("it runs, but there is no interface %s: %w", name, err)
	}
	if _, ok := link.(*netlink.Tuntap); !ok {
		return fmt.Errorf("interface %s is a %s, not a TUN", name, link.Type())
	}
	if link.Attrs().Flags&net.FlagUp == 0 {
		return fmt.Errorf("interface %s is not up", name)
	}
	return nil
}

// Close kills the program and waits for its end. Idempotent.
func (p *process) Close() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end %s (pid %d): %w", p.name, p.cmd.Process.Pid, err)
	}
	<-p.ended
	return nil
}

// saying is the end of a program's output on one line.
func saying(t *capture.Tail) string {
	if said := strings.Join(strings.Fields(t.String()), " "); said != "" {
		return said
	}
	return "nothing"
}
