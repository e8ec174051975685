// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"skleak/record"
)

// print prints the report for people, or as JSON.
func (f *probeFlags) print(t terminal, rep *probeReport) error {
	if f.json {
		enc := json.NewEncoder(t.out)
		enc.SetIndent("", "  ")
		return enc.Encode(rep)
	}
	where := ""
	if rep.Netns != "" {
		where = ", network namespace " + rep.Netns
	}
	fmt.Fprintf(t.out, "kernel %s %s%s\n\n", rep.Kernel.Release, rep.Kernel.Arch, where)
	tab := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	cells(tab, "LINK", "KIND", "VERDICT", "HELD", "HOLDER")
	var left []string
	for _, l := range rep.Links {
		if !l.tried {
			left = append(left, l.Link+" ("+l.Reason+")")
			continue
		}
		cells(tab, l.Link, l.Kind, shownVerdict(l), held(l), l.Holder)
	}
	if len(left) < len(rep.Links) {
		if err := tab.Flush(); err != nil {
			return err
		}
	}
	for _, l := range rep.Links {
		if text := l.text(); l.tried && text != "" {
			fmt.Fprintf(t.out, "\n%s: %s\n", l.Link, text)
		}
	}
	if len(left) > 0 {
		fmt.Fprintf(t.out, "\nnot tried: %s\n", strings.Join(left, ", "))
	}
	for _, n := range rep.Notes {
		fmt.Fprintf(t.out, "\nnote: %s\n", n)
	}
	return nil
}

func shownVerdict(l probedLink) string {
	if l.trouble {
		return "not known"
	}
	return string(l.Verdict)
}

func held(l probedLink) string {
	if l.trouble {
		return "-"
	}
	return fmt.Sprintf("%d B", l.HeldBytes)
}

// text is what there is to say of a link beside its row.
func (l probedLink) text() string {
	if l.Verdict == record.Clean {
		return ""
	}
	lines := []string{l.Reason}
	for _, more := range []string{l.Law, l.left(), l.Next} {
		if more != "" {
			lines = append(lines, more)
		}
	}
	return strings.Join(lines, "\n  ")
}

// left tells what stays behind.
func (l probedLink) left() string {
	if l.LeftBytes == 0 {
		return ""
	}
	return fmt.Sprintf("%d bytes of these packets wait there still, until it lets go by itself.", l.LeftBytes)
}

// nextStep is what to do, by who holds.
func nextStep(l probedLink, netns string) string {
	in := ""
	if netns != "" {
		in = "in that namespace "
	}
	kind, _, _ := strings.Cut(l.Holder, " ")
	switch {
	case l.Verdict == record.Refused:
		return fmt.Sprintf("Next: %s`nft list ruleset`, `ip -s link show %s` and `tc -s qdisc show dev %s` say who drops.", in, l.Link, l.Link)
	case !l.Verdict.NeedsHolder():
		return ""
	case kind == "qdisc":
		return fmt.Sprintf("Next: %s`tc -s qdisc show dev %s`; give it a rate it can keep, or a limit. A routing daemon that need not speak there: passive-interface %s.", in, lastWord(l.Holder), l.Link)
	case kind == "neighbour":
		return fmt.Sprintf("Next: %s`ip neigh show dev %s`; the far end of the tunnel does not answer.", in, lastWord(l.Holder))
	case kind == "nfqueue":
		return fmt.Sprintf("Next: %s`nft list ruleset` and the program that listens to %s: it gives no verdict.", in, l.Holder)
	case kind == "reader" || kind == "driver":
		return fmt.Sprintf("Next: the driver or the program behind %s keeps what it is given. `skleak snapshot %s` makes a reproducer for any kernel; a routing daemon that need not speak there: passive-interface %s.", lastWord(l.Holder), l.Link, l.Link)
	case strings.Contains(l.Reason, "ledger incomplete: "):
		return "Next: who holds could not be followed to the last byte; try again while the machine does less."
	default:
		return fmt.Sprintf("Next: run it as root to learn who holds; %s`tc -s qdisc show dev %s` and `ip neigh show` tell what waits. `skleak snapshot %s` makes a reproducer for any kernel.", in, l.Link, l.Link)
	}
}

func lastWord(s string) string {
	words := strings.Fields(s)
	return words[len(words)-1]
}
