// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// print writes r for people.
func (r Result) print(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s over a veth, %d pairs of %d packets: median [quartiles]\n", r.Packet, r.Pairs, r.Packets)
	fmt.Fprintln(&b, "style\tskleak packets/s\tC sendmmsg packets/s\tratio")
	for _, c := range r.Styles {
		fmt.Fprintf(&b, "%s\t%s\t%s\t%.2f [%.2f %.2f]\n",
			c.Style, c.Ours.rate(), c.Peer.rate(), c.Ratio.Median, c.Ratio.Lower, c.Ratio.Upper)
	}
	fmt.Fprintln(&b, "\npaced packets/s\tp50 late\tp99 late\tlatest")
	for _, l := range r.Pacing {
		fmt.Fprintf(&b, "%.0f\t%.1f µs\t%.1f µs\t%.1f µs\n", l.Rate, l.P50, l.P99, l.Max)
	}
	r.printLedger(&b)
	r.printBoots(&b)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	return w.Flush()
}

func (r Result) printLedger(b *strings.Builder) {
	if r.LedgerMissing != "" {
		fmt.Fprintf(b, "\nno ledger to measure: %s\n", r.LedgerMissing)
		return
	}
	fmt.Fprintln(b, "\nasked for\tledger off\tledger on\tratio\tsamples\tlost\tby")
	for _, c := range r.Ledger {
		asked := "all it can"
		if c.Asked > 0 {
			asked = fmt.Sprintf("%.0f/s", c.Asked)
		}
		fmt.Fprintf(b, "%s\t%s\t%s\t%.2f [%.2f %.2f]\t%d\t%d\t%s\n",
			asked, c.Off.rate(), c.On.rate(), c.Ratio.Median, c.Ratio.Lower, c.Ratio.Upper, c.Samples, c.Lost, c.By)
	}
}

func (r Result) printBoots(b *strings.Builder) {
	if r.Boots == nil {
		fmt.Fprintf(b, "\nno boots to measure: %s\n", r.BootsMissing)
		return
	}
	c := r.Boots
	fmt.Fprintf(b, "\nfrom QEMU's start, %s\tseconds\tto a bare boot\tto a plain one\n", c.Kernel)
	fmt.Fprintf(b, "bare boot and end\t%s\t\t\n", c.Bare.seconds())
	fmt.Fprintf(b, "the same, plain command line\t%s\t\t\n", c.Plain.seconds())
	fmt.Fprintf(b, "first word\t%s\t%s\t\n", c.Hello.seconds(), c.HelloRatio.seconds())
	fmt.Fprintf(b, "first result\t%s\t%s\t%s\n", c.Result.seconds(), c.ResultRatio.seconds(), c.ResultPlain.seconds())
	if c.PeerMissing != "" {
		fmt.Fprintf(b, "virtme-ng\t%s\t\n", c.PeerMissing)
		return
	}
	fmt.Fprintf(b, "virtme-ng, one command\t%s\t\n", c.Peer.seconds())
}

func (s Spread) seconds() string {
	return fmt.Sprintf("%.2f [%.2f %.2f]", s.Median, s.Lower, s.Upper)
}

func (s Spread) rate() string {
	return fmt.Sprintf("%.0fk [%.0fk %.0fk]", s.Median/1e3, s.Lower/1e3, s.Upper/1e3)
}
