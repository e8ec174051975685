// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"skleak/procsock"
	"skleak/watch"
	"skleak/watch/metrics"
)

// Bounds of --interval.
const (
	shortestLook = 10 * time.Millisecond
	longestLook  = time.Hour
)

type watchFlags struct {
	pids       []int
	comm       string
	all        bool
	interval   time.Duration
	once, json bool
	alarm      float64
	alarmGiven bool
	listen     string
}

func watchCommand(t terminal, status *statusCode) *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Watch what running daemons' sockets are charged with",
		Long: `Look at the raw, UDP and packet sockets of running processes, in every network
namespace: what each is charged with, how far it is on its way to silence (a
socket is not writable from half of its send buffer on), how fast that grows, and
when it will be silent at this rate. Nothing is sent and nothing changed.

Figures are exact where the socket itself may be asked, which wants root and a
kernel with pidfd_getfd (5.6); elsewhere they come from /proc/net, and the send
buffer is not known.

The exit status is 1 for an alarm: with --once, a socket is at the threshold of
--alarm, by default silent; without, the watching ends as soon as one is at the
--alarm given. It is 2 where there is nothing to watch, or the process of --pid has
ended.`,
		Example: `  skleak watch                                  # all sockets, live
  skleak watch --pid $(pidof ospfd)
  skleak watch --comm ospfd --once --json
  skleak watch --comm ospfd --alarm 50 || echo "half of the way to silence"
  skleak watch --listen :9814                   # for Prometheus, on loopback`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.alarmGiven = cmd.Flags().Changed("alarm")
			if err := f.check(); err != nil {
				return err
			}
			return f.run(cmd.Context(), t, status)
		},
	}
	fs := cmd.Flags()
	fs.IntSliceVar(&f.pids, "pid", nil, "watch these processes")
	fs.StringVar(&f.comm, "comm", "", "watch the processes of this name, as ps -o comm shows it")
	fs.BoolVar(&f.all, "all", false, "watch all processes (the default)")
	fs.DurationVar(&f.interval, "interval", time.Second, "time between two looks")
	fs.BoolVar(&f.once, "once", false, "look once; growth is not known then")
	fs.BoolVar(&f.json, "json", false, "print a line of JSON for each look (schema "+watch.Schema+")")
	fs.Float64Var(&f.alarm, "alarm", 100, "percent of the way to silence that is an alarm: exit status 1")
	fs.StringVar(&f.listen, "listen", "", "serve Prometheus metrics at this address; :PORT is loopback's")
	return cmd
}

func (f *watchFlags) check() error {
	chosen := 0
	for _, given := range []bool{len(f.pids) > 0, f.comm != "", f.all} {
		if given {
			chosen++
		}
	}
	switch {
	case chosen > 1:
		return errors.New("choose one of --pid, --comm and --all")
	case slices.ContainsFunc(f.pids, func(pid int) bool { return pid < 1 }):
		return fmt.Errorf("--pid %v: a process has a number above 0", f.pids)
	case f.interval < shortestLook || f.interval > longestLook:
		return fmt.Errorf("--interval %s: give %s to %s", f.interval, shortestLook, longestLook)
	case f.alarm <= 0 || f.alarm > 1000:
		return fmt.Errorf("--alarm %g: give a percentage above 0, at most 1000", f.alarm)
	case f.once && f.listen != "":
		return errors.New("--once and --listen: choose one")
	}
	return nil
}

func (f *watchFlags) run(ctx context.Context, t terminal, status *statusCode) (err error) {
	finder := procsock.NewFinder(procsock.Select{PIDs: f.pids, Comm: f.comm})
	defer func() { err = errors.Join(err, finder.Close()) }()
	w := &watching{flags: f, finder: finder, model: watch.NewModel(), view: f.view(t), err: t.err}
	defer w.view.close()
	if f.listen != "" {
		server, err := metrics.Listen(ctx, f.listen)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.Close()) }()
		fmt.Fprintln(t.err, "metrics are at", server.URL())
		w.server = server
	}
	tick := time.NewTicker(f.interval)
	defer tick.Stop()
	for {
		over, err := w.look(status)
		if over || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// watching is a watch under way.
type watching struct {
	flags  *watchFlags
	finder *procsock.Finder
	model  *watch.Model
	view   watchView
	server *metrics.Server
	err    io.Writer
	began  time.Time
	noted  map[string]bool
}

// look looks once, and says whether the watching is over.
func (w *watching) look(status *statusCode) (over bool, err error) {
	scan, err := w.finder.Look()
	if err != nil {
		return true, err
	}
	if w.began.IsZero() {
		w.began = scan.At
		if err := w.flags.nothing(scan); err != nil {
			return true, err
		}
	}
	look := w.model.Take(scan)
	if err := w.view.show(look); err != nil {
		return true, fmt.Errorf("print a look: %w", err)
	}
	if w.server != nil {
		w.server.Show(look)
	}
	w.notes(look)
	if len(w.flags.pids) > 0 && len(look.Processes) == 0 {
		return true, fmt.Errorf("%s: all processes of --pid have ended; they were watched for %s",
			endedText(look), watch.Span(scan.At.Sub(w.began)))
	}
	alarms := look.Alarms(w.flags.alarm / 100)
	if len(alarms) > 0 && (w.flags.once || w.flags.alarmGiven) {
		*status = 1
		for _, s := range alarms {
			w.view.say(w.err, "alarm: "+s.Line(look.Time))
		}
		return true, nil
	}
	return w.flags.once, nil
}

// notes prints what could not be seen, and which processes ended.
func (w *watching) notes(look watch.Look) {
	if w.noted == nil {
		w.noted = map[string]bool{}
	}
	notes := look.Notes
	for _, s := range look.Sockets {
		if s.Why != "" {
			notes = append(notes, fmt.Sprintf("figures from %s, not exact: %s", s.By, s.Why))
		}
	}
	for _, n := range notes {
		if !w.noted[n] {
			w.noted[n] = true
			w.view.say(w.err, "note: "+n)
		}
	}
	if len(look.Ended) > 0 && len(look.Processes) > 0 || w.flags.comm != "" && len(look.Ended) > 0 {
		w.view.say(w.err, "note: "+endedText(look))
	}
}

func endedText(look watch.Look) string {
	var names []string
	for _, p := range look.Ended {
		names = append(names, fmt.Sprintf("process %d (%s)", p.PID, p.Comm))
	}
	if len(names) == 0 {
		return "nothing is left"
	}
	return strings.Join(names, ", ") + " ended"
}

// nothing says what there is not to be watched.
func (f *watchFlags) nothing(scan procsock.Scan) error {
	switch {
	case len(scan.Sockets) > 0 || len(f.pids) == 0 && f.comm == "":
		return nil
	case len(scan.Processes) == 0 && f.comm != "":
		return fmt.Errorf("no process is called %q; `ps -e -o comm` has the names", f.comm)
	case len(scan.Processes) == 0:
		return fmt.Errorf("no such process: %s", strings.Join(scan.Notes, "; "))
	}
	var names []string
	for _, p := range scan.Processes {
		names = append(names, fmt.Sprintf("process %d (%s)", p.PID, p.Comm))
	}
	text := strings.Join(names, ", ") + ": no raw, UDP or packet socket is to be seen there, which could fall silent"
	if len(scan.Notes) > 0 {
		text += ": " + strings.Join(scan.Notes, "; ")
	}
	return errors.New(text)
}

// watchView is how looks are shown.
type watchView interface {
	show(watch.Look) error
	// say prints a line beside them.
	say(w io.Writer, text string)
	close()
}

func (f *watchFlags) view(t terminal) watchView {
	switch {
	case f.json:
		return jsonLooks{json.NewEncoder(t.out)}
	case f.once:
		return oneTable{t.out}
	case t.outWidth > 0 && t.live:
		return &liveTable{out: t.plain, size: func() (int, int) {
			w, h, err := term.GetSize(int(os.Stdout.Fd()))
			if err != nil {
				return 80, 24
			}
			return w, h
		}}
	case f.listen != "":
		return quiet{}
	}
	return &changedLines{out: t.out, last: map[uint64]string{}}
}

type quiet struct{}

func (quiet) show(watch.Look) error     { return nil }
func (quiet) say(w io.Writer, s string) { fmt.Fprintln(w, s) }
func (quiet) close()                    {}

type jsonLooks struct{ enc *json.Encoder }

func (j jsonLooks) show(l watch.Look) error { return j.enc.Encode(l) }
func (jsonLooks) say(w io.Writer, s string) { fmt.Fprintln(w, s) }
func (jsonLooks) close()                    {}

type oneTable struct{ out io.Writer }

func (o oneTable) show(l watch.Look) error {
	if len(l.Sockets) == 0 {
		_, err := fmt.Fprintln(o.out, "no raw, UDP or packet socket is open")
		return err
	}
	_, err := fmt.Fprintln(o.out, strings.Join(l.Table(0, 0), "\n"))
	return err
}
func (oneTable) say(w io.Writer, s string) { fmt.Fprintln(w, s) }
func (oneTable) close()                    {}

// changedLines prints a line for each socket that is not as it was.
type changedLines struct {
	out  io.Writer
	last map[uint64]string
}

func (c *changedLines) show(l watch.Look) error {
	for _, s := range l.Sockets {
		var charge int64 = -1
		if s.Charge != nil {
			charge = *s.Charge
		}
		state := fmt.Sprint(charge, s.Silent(), s.By)
		if c.last[s.Inode] == state {
			continue
		}
		c.last[s.Inode] = state
		if _, err := fmt.Fprintln(c.out, s.Line(l.Time)); err != nil {
			return err
		}
	}
	return nil
}
func (*changedLines) say(w io.Writer, s string) { fmt.Fprintln(w, s) }
func (*changedLines) close()                    {}

// liveTable redraws a table in place.
type liveTable struct {
	out  io.Writer
	size func() (columns, rows int)
	// drawn is how many lines of it are on the screen.
	drawn int
}

func (t *liveTable) show(l watch.Look) error {
	columns, rows := t.size()
	lines := l.Table(max(rows-2, 2), max(columns-1, 20))
	text := t.back() + strings.Join(lines, "\n") + "\n" + l.Time.Format("15:04:05") + "\n"
	t.drawn = len(lines) + 1
	_, err := io.WriteString(t.out, text)
	return err
}

// back goes to the start of what was drawn and erases it.
func (t *liveTable) back() string {
	if t.drawn == 0 {
		return ""
	}
	return fmt.Sprintf("\r\x1b[%dA\x1b[J", t.drawn)
}

// say puts the line above the table, which is drawn again with the next look.
func (t *liveTable) say(w io.Writer, s string) {
	_, _ = io.WriteString(t.out, t.back())
	t.drawn = 0
	fmt.Fprintln(w, s)
}

func (*liveTable) close() {}
