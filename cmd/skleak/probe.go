// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"skleak/harness"
	"skleak/harness/experiment"
	"skleak/harness/verdict"
	"skleak/record"
	"skleak/snapshot"
)

// probeFlags are the flags of `skleak probe`.
type probeFlags struct {
	where    netnsFlag
	yes      bool
	json     bool
	count    int
	patience time.Duration
}

func probeCommand(t terminal, status *statusCode) *cobra.Command {
	var f probeFlags
	cmd := &cobra.Command{
		Use:   "probe [IFACE…]",
		Short: "Try the links this host really has, in place",
		Long: `Send a few harmless packets through each link of this host, or of another network
namespace, and say whether it keeps them: protocol 253 (RFC 3692) to 224.0.0.254
with a TTL of 1, 100 a second, no more than show a socket falling silent. It asks
before it sends. Nothing else is changed: no link, queue, neighbour or sysctl. What
a link holds stays in it until it lets go by itself.

Who holds is named by following each packet in the kernel (root); else it is not
known. With no argument every link is tried that can send.

Exit status: 0 all clean, 1 a link holds or refuses packets, 2 trouble or wrong
usage, 4 no link can be tried, 130 interrupted.`,
		Example: `  skleak probe                        # asks first
  skleak probe --yes eth0 tun0
  skleak probe --netns 4711 --yes     # the links of a container, by a process in it`,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, t, args, status) },
	}
	fs := cmd.Flags()
	f.where.register(fs)
	fs.BoolVarP(&f.yes, "yes", "y", false, "send without asking")
	fs.BoolVar(&f.json, "json", false, "print JSON")
	fs.IntVar(&f.count, "count", 0, "packets through each link (default as many as silence a socket)")
	fs.DurationVar(&f.patience, "patience", experiment.DefaultPatience, "how long to wait for what is held to go by itself")
	return cmd
}

func (f *probeFlags) run(cmd *cobra.Command, t terminal, args []string, status *statusCode) error {
	if cmd.Flags().Changed("count") && (f.count < 1 || f.count > harness.MaxProbeCount) {
		return fmt.Errorf("--count %d: want 1 to %d", f.count, harness.MaxProbeCount)
	}
	if f.patience < 0 || f.patience > time.Hour {
		return fmt.Errorf("--patience %s: want 0s to 1h", f.patience)
	}
	path, err := f.where.path(cmd.Flags())
	if err != nil {
		return err
	}
	facts, err := readFacts(path)
	if err != nil {
		return err
	}
	chosen, err := chooseLinks(facts, args)
	if err != nil {
		return err
	}
	rep := newProbeReport(facts, chosen, args)
	rep.Netns = f.where.name
	links := rep.toTry()
	if len(links) == 0 {
		*status = 4
		return f.print(t, rep)
	}
	if !f.yes && !term.IsTerminal(int(os.Stdin.Fd())) {
		return fmt.Errorf("it sends packets through %s and asks before it does, and there is no terminal to ask on; say --yes", strings.Join(links, ", "))
	}
	return f.send(cmd.Context(), t, path, rep, status)
}

// send measures what a packet costs, asks, and sends.
func (f *probeFlags) send(ctx context.Context, t terminal, path string, rep *probeReport, status *statusCode) (err error) {
	p := harness.Probe{
		Self: harness.DefaultSelf, Netns: path, Rate: harness.ProbeRate, Count: f.count, Rings: rep.rings,
		Options: experiment.Options{Settle: experiment.DefaultSettle, Patience: f.patience, Ledger: experiment.LedgerOn},
	}
	ready, err := p.Prepare(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ready.Close()) }()
	links := rep.toTry()
	if !f.yes {
		most := 0
		for _, link := range links {
			most = max(most, ready.Packets(link))
		}
		if err := ask(ctx, os.Stdin, t.err, links, most); err != nil {
			return err
		}
	}
	lookErr := ready.Look(ctx, links, func(s harness.Sight) bool {
		rep.add(s)
		return true
	})
	for _, link := range rep.toTry() {
		rep.link(link).Reason = "interrupted"
	}
	rep.Notes = ready.Notes
	*status = rep.status()
	return errors.Join(f.print(t, rep), lookErr)
}

// ask tells what will be sent and waits for a yes.
func ask(ctx context.Context, in io.Reader, out io.Writer, links []string, count int) error {
	fmt.Fprintf(out, "Up to %d packets, protocol 253 to 224.0.0.254 with a TTL of 1, %d a second, through each of\n  %s\nSend them? [y/N] ",
		count, harness.ProbeRate, strings.Join(links, " "))
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(in).ReadString('\n')
		answer <- strings.ToLower(strings.TrimSpace(line))
	}()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case said := <-answer:
		if said != "y" && said != "yes" {
			return errors.New("nothing was sent; say y or yes, or --yes, to send")
		}
		return nil
	}
}

// probeReport is what `skleak probe --json` prints.
type probeReport struct {
	Schema string        `json:"schema"`
	Kernel record.Kernel `json:"kernel"`
	// Netns is what --netns was; "" for the caller's.
	Netns string       `json:"netns,omitempty"`
	Links []probedLink `json:"links"`
	Notes []string     `json:"notes,omitempty"`

	// rings are those of TUNs and TAPs, by name, in packets.
	rings map[string]int
}

// probedLink is one link of a probeReport.
type probedLink struct {
	Link string `json:"link"`
	Kind string `json:"kind"`
	// Verdict is "" where nothing was sent or nothing is shown; Reason says why.
	Verdict   record.Verdict `json:"verdict"`
	Holder    string         `json:"holder,omitempty"`
	HolderBy  string         `json:"holder_by,omitempty"`
	Packets   int            `json:"packets"`
	HeldBytes int64          `json:"held_bytes"`
	// LeftBytes are still held at the end.
	LeftBytes int64  `json:"left_bytes"`
	Truesize  int64  `json:"truesize"`
	SndBuf    int64  `json:"sndbuf"`
	Writable  bool   `json:"writable"`
	Law       string `json:"law,omitempty"`
	Reason    string `json:"reason"`
	// Next is what to do about it.
	Next string `json:"next,omitempty"`

	tried, trouble bool
}

// newProbeReport lists the chosen links, in the order they were named in. One that cannot be tried says why.
func newProbeReport(facts snapshot.Facts, chosen map[string]bool, order []string) *probeReport {
	rep := &probeReport{Schema: "skleak-probe/1", Kernel: harness.Kernel(), Links: []probedLink{}, rings: map[string]int{}}
	for _, l := range facts.Links {
		if l.Kind == "tun" || l.Kind == "tap" {
			rep.rings[l.Name] = l.TxQueueLen
		}
		if chosen[l.Name] {
			rep.Links = append(rep.Links, probedLink{Link: l.Name, Kind: shownKind(l), Reason: snapshot.Unfit(facts, l)})
		}
	}
	slices.SortStableFunc(rep.Links, func(a, b probedLink) int { return slices.Index(order, a.Link) - slices.Index(order, b.Link) })
	return rep
}

// shownKind is the kind of a link for people.
func shownKind(l snapshot.Link) string {
	switch {
	case l.Loopback:
		return "loopback"
	case l.Kind != "":
		return l.Kind
	case l.Driver != "":
		return l.Driver
	}
	return "device"
}

// toTry are the links that can send.
func (r *probeReport) toTry() []string {
	var out []string
	for _, l := range r.Links {
		if l.Reason == "" && !l.tried {
			out = append(out, l.Link)
		}
	}
	return out
}

// link is the entry of a link that is listed.
func (r *probeReport) link(name string) *probedLink {
	return &r.Links[slices.IndexFunc(r.Links, func(l probedLink) bool { return l.Link == name })]
}

// add enters what one link did.
func (r *probeReport) add(s harness.Sight) {
	l := r.link(s.Link)
	l.tried = true
	if s.Err != nil {
		l.trouble, l.Reason = true, oneLine(s.Err)
		return
	}
	f := verdict.Judge(s.Trace)
	l.Packets, l.HeldBytes, l.Truesize, l.SndBuf, l.Writable = s.Trace.Sent, f.HeldBytes, f.Truesize, f.SndBuf, f.Writable
	if f.Trouble != "" {
		l.trouble, l.Reason = true, f.Trouble
		return
	}
	l.Verdict, l.Holder, l.HolderBy, l.Law, l.Reason = f.Verdict, f.Holder, f.HolderBy, f.Law, f.Reason
	if p := s.Trace.Patience; p != nil {
		l.LeftBytes = p.After
	}
	l.Next = nextStep(*l, r.Netns)
}

// status is the exit status.
func (r *probeReport) status() statusCode {
	var code statusCode
	for _, l := range r.Links {
		switch {
		case l.trouble:
			return exitUsage
		case l.tried && l.Verdict != record.Clean:
			code = 1
		}
	}
	return code
}
