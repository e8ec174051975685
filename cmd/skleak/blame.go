// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"skleak/blame"
	"skleak/harness"
	"skleak/netns"
	"skleak/procsock"
	"skleak/snapshot"
)

// Bounds of --for.
const (
	shortestFollow = 100 * time.Millisecond
	longestFollow  = 24 * time.Hour
	// silentFollow is enough for a daemon that sends nothing.
	silentFollow = time.Second
)

type blameFlags struct {
	pid, fd int
	span    time.Duration
	json    bool

	isolate, planOnly bool
	timers            blame.Timers
}

func blameCommand(t terminal, status *statusCode) *cobra.Command {
	var f blameFlags
	cmd := &cobra.Command{
		Use:   "blame --pid PID",
		Short: "Find the link that holds a running daemon's packets",
		Long: `Say which link holds the bytes that a running daemon's sockets are charged with,
without stopping it: the sockets (raw, UDP and packet ones), what waits in each
queue, TUN, NFQUEUE of their network namespace, and, as root, every packet that the
daemon sends for a while, followed through the kernel. Nothing is sent or changed.
It works for a daemon that is silent already.

A link is never named because no other is left: packets were followed, or those
that wait in it make up the charge to the byte. Otherwise the holder is not known.

With --isolate, and only then, the daemon's packets are dropped on one link after
the other, for less time than an adjacency takes to drop, and the link whose
silence stops the growth is named. --plan shows the rule and the times first.

Exit status: 0 nothing is held, 1 something is, 2 trouble or wrong usage, 130
interrupted.`,
		Example: `  skleak blame --pid $(pidof ospfd)
  skleak blame --pid $(pidof ospfd) --for 60s --json
  skleak blame --pid $(pidof ospfd) --plan
  skleak blame --pid $(pidof ospfd) --isolate --hello 10s --dead 40s`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(cmd.Flags().Changed("fd")); err != nil {
				return err
			}
			return f.run(cmd.Context(), t, status)
		},
	}
	fs := cmd.Flags()
	fs.IntVar(&f.pid, "pid", 0, "the process")
	fs.IntVar(&f.fd, "fd", -1, "the socket, by its descriptor (default all that are charged)")
	fs.DurationVar(&f.span, "for", 25*time.Second, "how long to follow what it sends: two Hellos and more; a silent one is followed for "+silentFollow.String())
	fs.BoolVar(&f.json, "json", false, "print JSON (schema "+blame.Schema+")")
	fs.BoolVar(&f.isolate, "isolate", false, "drop what the daemon sends on one link after the other, each for two Hellos and a half")
	fs.BoolVar(&f.planOnly, "plan", false, "say what --isolate would do, and do nothing")
	fs.DurationVar(&f.timers.Hello, "hello", 10*time.Second, "the daemon's Hello interval, for --isolate")
	fs.DurationVar(&f.timers.Dead, "dead", 40*time.Second, "the shortest dead interval of its links, for --isolate")
	return cmd
}

func (f *blameFlags) check(fdGiven bool) error {
	switch {
	case f.pid < 1:
		return errors.New("whose packets? give --pid, like --pid $(pidof ospfd)")
	case fdGiven && f.fd < 0:
		return fmt.Errorf("--fd %d: a descriptor is 0 or more", f.fd)
	case f.span < shortestFollow || f.span > longestFollow:
		return fmt.Errorf("--for %s: give %s to %s", f.span, shortestFollow, longestFollow)
	}
	return nil
}

func (f *blameFlags) run(ctx context.Context, t terminal, status *statusCode) (err error) {
	d := &debtor{pid: f.pid, fd: f.fd, finder: procsock.NewFinder(procsock.Select{PIDs: []int{f.pid}})}
	defer func() { err = errors.Join(err, d.finder.Close()) }()
	if err := d.look(); err != nil {
		return err
	}
	var plan blame.Plan
	if f.isolate || f.planOnly {
		if plan, err = f.plan(d); err != nil {
			return err
		}
	}
	if f.planOnly {
		return f.printPlan(t, plan)
	}
	r, err := d.read(ctx, f.span, func(span time.Duration) {
		if t.live {
			fmt.Fprintf(t.err, "following what process %d sends for %s ...\n", f.pid, span)
		}
	})
	if err != nil {
		return err
	}
	finding := blame.Judge(r)
	if f.isolate {
		if err := d.isolate(ctx, t, &finding, plan); err != nil {
			return err
		}
	}
	*status = statusCode(finding.Status())
	if f.json {
		enc := json.NewEncoder(t.out)
		enc.SetIndent("", "  ")
		return enc.Encode(finding)
	}
	return finding.Write(t.out)
}

// debtor is the process whose sockets are charged.
type debtor struct {
	pid, fd int
	finder  *procsock.Finder
	scan    procsock.Scan
	sockets []procsock.Socket
}

// look reads the sockets, those with a charge if any has one.
func (d *debtor) look() error {
	scan, err := d.finder.Look()
	if err != nil {
		return err
	}
	d.scan, d.sockets = scan, nil
	if len(scan.Processes) == 0 {
		return fmt.Errorf("no such process: %s", strings.Join(append(scan.Notes, fmt.Sprintf("process %d has ended", d.pid)), "; "))
	}
	for _, s := range scan.Sockets {
		if d.fd >= 0 && s.Owners[0].FD != d.fd {
			continue
		}
		if !s.Exact() {
			return fmt.Errorf("process %d, socket %d: %s", d.pid, s.Owners[0].FD, s.Why)
		}
		d.sockets = append(d.sockets, s)
	}
	if len(d.sockets) == 0 {
		return d.none()
	}
	return nil
}

func (d *debtor) none() error {
	which := "no raw, UDP or packet socket"
	if d.fd >= 0 {
		which = fmt.Sprintf("descriptor %d is no raw, UDP or packet socket", d.fd)
	}
	text := fmt.Sprintf("process %d (%s): %s", d.pid, d.scan.Processes[0].Comm, which)
	return errors.New(strings.Join(append([]string{text}, d.scan.Notes...), "; "))
}

// charge is what the sockets are charged with together.
func (d *debtor) charge() (sum int64, err error) {
	if err := d.look(); err != nil {
		return 0, err
	}
	for _, s := range d.sockets {
		sum += s.Charge
	}
	return sum, nil
}

// charged are the sockets to blame somebody for: those of one namespace, the one
// with the greatest charge.
func (d *debtor) charged() []procsock.Socket {
	most := d.sockets[0]
	for _, s := range d.sockets {
		if s.Charge > most.Charge {
			most = s
		}
	}
	var out []procsock.Socket
	for _, s := range d.sockets {
		if s.Netns == most.Netns && (s.Charge > 0 || s.Inode == most.Inode) {
			out = append(out, s)
		}
	}
	return out
}

// read follows the daemon for a time and reads where packets wait.
func (d *debtor) read(ctx context.Context, span time.Duration, tell func(time.Duration)) (r blame.Reading, err error) {
	first := d.charged()
	ns, err := procsock.OpenNetns(d.pid, first[0])
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, ns.Close()) }()
	path := fmt.Sprintf("/proc/self/fd/%d", ns.Fd())
	r.PID, r.Comm = d.pid, d.scan.Processes[0].Comm
	if r.Before, err = readFacts(path); err != nil {
		return r, err
	}
	if allSilent(first) {
		span = min(span, silentFollow)
	}
	tell(span)
	follow := harness.Follow{Self: harness.DefaultSelf, Netns: path, PID: d.pid, For: span, Charge: d.charge}
	for _, s := range d.sockets {
		follow.Cookies = append(follow.Cookies, s.Cookie)
	}
	seen, err := follow.Run(ctx)
	if err != nil {
		return r, err
	}
	r.For, r.ChargeBefore, r.Least, r.Ledger, r.Sent, r.Notes = span, seen.Before, seen.Least, seen.Ledger, seen.Sent, seen.Notes
	if err := d.still(&r, path); err != nil {
		return r, err
	}
	return r, d.bounds(ctx, &r, path)
}

// bounds measures what a packet costs, and reads how many the drivers' rings take,
// where nothing simpler gives an answer.
func (d *debtor) bounds(ctx context.Context, r *blame.Reading, path string) error {
	if blame.Judge(*r).Outcome != blame.Unknown {
		return nil
	}
	err := netns.In(path, func() (err error) {
		r.Rings, err = netns.Rings(linkNames(r.Facts))
		return err
	})
	if err != nil {
		r.Notes = append(r.Notes, err.Error())
	}
	cost, err := harness.PacketCost(ctx, harness.DefaultSelf)
	if err != nil && ctx.Err() == nil {
		r.Notes = append(r.Notes, err.Error())
		err = nil
	}
	r.Truesize = cost.Truesize
	return err
}

// still reads where packets wait at a moment when the charge stands still, if there
// is one soon.
func (d *debtor) still(r *blame.Reading, path string) (err error) {
	const tries = 10
	for range tries {
		before, err := d.charge()
		if err != nil {
			return err
		}
		if r.Facts, err = readFacts(path); err != nil {
			return err
		}
		if r.Charge, err = d.charge(); err != nil {
			return err
		}
		r.Least = min(r.Least, r.Charge)
		if r.Steady = r.Charge == before; r.Steady {
			break
		}
	}
	for _, s := range d.charged() {
		r.Sockets = append(r.Sockets, blame.Socket{FD: s.Owners[0].FD, Kind: s.Kind, Protocol: s.Protocol, Charge: s.Charge, SndBuf: s.SndBuf})
	}
	return nil
}

func linkNames(f snapshot.Facts) (names []string) {
	for _, l := range f.Links {
		names = append(names, l.Name)
	}
	return names
}

func allSilent(sockets []procsock.Socket) bool {
	for _, s := range sockets {
		if s.Charge+1 < s.SndBuf/2 {
			return false
		}
	}
	return true
}
