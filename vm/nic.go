// SPDX-License-Identifier: GPL-2.0-only

package vm

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"skleak/scenarios"
)

// firstCardFD is the descriptor after initrdFD: QEMU's monitor, then one for
// each card whose backend takes nothing.
const firstCardFD = initrdFD + 1

// cardsOnRoot is how many cards go onto the root bus, which has 32 places less
// the machine's own. The others go behind bridges, cardsOnBridge on each.
const (
	cardsOnRoot   = 24
	cardsOnBridge = 28
)

// card is one network card and what is behind it. Each link of kind nic has
// its own, known by its hardware address.
type card struct {
	number int
	model  string
	mac    string
	// fd is the full socket behind it; 0 is QEMU's own network, which takes all.
	fd int
}

func (c card) id() string { return fmt.Sprintf("card%d", c.number) }

// bridge is the number of the bridge the card is behind; 0 is the root bus.
func (c card) bridge() int {
	if c.number < cardsOnRoot {
		return 0
	}
	return 1 + (c.number-cardsOnRoot)/cardsOnBridge
}

// Cmdline implements part. Without a romfile no boot program of the card's
// costs time.
func (c card) Cmdline() []string {
	var args []string
	device := fmt.Sprintf("%s,id=%s,netdev=net%d,mac=%s,romfile=", c.model, c.id(), c.number, c.mac)
	if n := c.bridge(); n > 0 {
		if (c.number-cardsOnRoot)%cardsOnBridge == 0 {
			args = append(args, "-device", fmt.Sprintf("pci-bridge,id=cards%d,chassis_nr=%d,shpc=off", n, n))
		}
		device += fmt.Sprintf(",bus=cards%d", n)
	}
	backend := fmt.Sprintf("user,id=net%d,restrict=on,ipv6=off", c.number)
	if c.fd != 0 {
		backend = fmt.Sprintf("socket,id=net%d,fd=%d", c.number, c.fd)
	}
	return append(args, "-netdev", backend, "-device", device)
}

// KArgs implements part.
func (card) KArgs() []string { return nil }

// monitor is QEMU's control channel on a file descriptor.
type monitor struct{ fd int }

// Cmdline implements part.
func (m monitor) Cmdline() []string {
	return []string{"-chardev", fmt.Sprintf("socket,id=monitor,fd=%d", m.fd), "-mon", "chardev=monitor,mode=control"}
}

// KArgs implements part. A driver may hang with the lock of all links held, and
// then nothing that comes after in that guest can be believed: it is ended.
func (monitor) KArgs() []string {
	return []string{"sysctl.kernel.hung_task_panic=1", "sysctl.kernel.hung_task_timeout_secs=60"}
}

// cards are the network cards of a guest. Nil is none.
type cards struct {
	list []card
	// monitor is our end of QEMU's monitor.
	monitor *os.File
	// lines are what it says; nil before the first word with it.
	lines *bufio.Scanner
	// theirs are QEMU's descriptors from firstCardFD on.
	theirs closers
	// full are the far ends of the full sockets: nobody reads them, and while
	// they are open nobody is told so.
	full closers
}

// newCards makes what the nic links of list need of this QEMU. A model that it
// does not have is left out: the guest tells of it.
func newCards(program string, list []scenarios.Scenario) (c *cards, err error) {
	if !slices.ContainsFunc(list, hasCard) {
		return nil, nil
	}
	have, err := cardModels(program)
	if err != nil {
		return nil, err
	}
	c = &cards{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.started(), c.Close())
		}
	}()
	ours, theirs, err := socketPair()
	if err != nil {
		return c, err
	}
	c.monitor, c.theirs = ours, closers{theirs}
	for _, sc := range list {
		for _, l := range sc.Links {
			o, ok := l.Options.(*scenarios.NicOptions)
			if !ok || !slices.Contains(have, o.Model) {
				continue
			}
			if err := c.add(o, scenarios.CardMAC(sc.Name, l.Name).String()); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

func (c *cards) add(o *scenarios.NicOptions, mac string) error {
	one := card{number: len(c.list), model: o.Model, mac: mac}
	if o.Backend == scenarios.BackendNone {
		near, far, err := fullSocket()
		if err != nil {
			return err
		}
		one.fd = firstCardFD + len(c.theirs)
		c.theirs, c.full = append(c.theirs, near), append(c.full, far)
	}
	c.list = append(c.list, one)
	return nil
}

func hasCard(sc scenarios.Scenario) bool { return cardModel(sc) != "" }

// cardModel is the model of the scenario's first network card; "" if it has none.
func cardModel(sc scenarios.Scenario) string {
	for _, l := range sc.Links {
		if o, ok := l.Options.(*scenarios.NicOptions); ok {
			return o.Model
		}
	}
	return ""
}

// cardModels asks QEMU which network cards it has.
func cardModels(program string) ([]string, error) {
	text, err := exec.Command(program, "-device", "help").Output()
	if err != nil {
		return nil, fmt.Errorf("ask QEMU for its network cards: %w", err)
	}
	return deviceNames(string(text)), nil
}

// deviceNames takes the names out of `-device help`: name "e1000", bus PCI, …
func deviceNames(text string) []string {
	var names []string
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, `name "`); ok {
			name, _, _ := strings.Cut(rest, `"`)
			names = append(names, name)
		}
	}
	return names
}

// fullSocket is a pair whose near end takes nothing more: its buffer is filled
// beforehand, and the far end is never read.
func fullSocket() (near, far *os.File, err error) {
	far, near, err = socketPair()
	if err != nil {
		return nil, nil, err
	}
	fill := make([]byte, 4096)
	conn, err := near.SyscallConn()
	if err == nil {
		var werr error
		err = conn.Control(func(fd uintptr) {
			for werr == nil {
				_, werr = unix.Write(int(fd), fill)
				if errors.Is(werr, syscall.EAGAIN) && len(fill) > 1 {
					// What does not fit whole may fit in part.
					fill, werr = fill[:len(fill)/2], nil
				}
			}
		})
		if !errors.Is(werr, syscall.EAGAIN) {
			err = errors.Join(err, werr)
		}
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("fill the socket behind a network card: %w", err), near.Close(), far.Close())
	}
	return near, far, nil
}

// parts are what the cards add to QEMU's command line.
func (c *cards) parts() []part {
	if c == nil {
		return nil
	}
	out := []part{monitor{fd: firstCardFD}}
	for _, one := range c.list {
		out = append(out, one)
	}
	return out
}

// files are QEMU's descriptors, from firstCardFD on.
func (c *cards) files() []*os.File {
	if c == nil {
		return nil
	}
	var out []*os.File
	for _, f := range c.theirs {
		if f, ok := f.(*os.File); ok {
			out = append(out, f)
		}
	}
	return out
}

// started lets go of QEMU's descriptors, once it has them.
func (c *cards) started() error {
	if c == nil {
		return nil
	}
	return c.theirs.Close()
}

// Close ends the backends and the monitor.
func (c *cards) Close() error {
	if c == nil {
		return nil
	}
	all := c.full
	if c.monitor != nil {
		all = append(all, c.monitor)
	}
	return all.Close()
}
