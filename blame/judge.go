// SPDX-License-Identifier: GPL-2.0-only

package blame

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"skleak/snapshot"
)

// Judge says who holds. It trusts a ledger first, then what the places grew by,
// then what they have in all.
func Judge(r Reading) Finding {
	f := Finding{
		Schema: Schema, PID: r.PID, Comm: r.Comm, Sockets: r.Sockets, Charge: r.Charge, Growth: r.Charge - r.ChargeBefore,
		Seconds: r.For.Seconds(), Waiting: Waiting(r.Facts), Notes: r.Notes, Holders: []Holder{},
		Silent: slices.ContainsFunc(r.Sockets, Socket.Silent),
	}
	switch {
	case r.Charge == 0 || r.Least == 0:
		f.Outcome = Healthy
		f.Reason = fmt.Sprintf("the charge came back to 0 in the %s it was watched for: what is sent comes free", span(r.For))
	case f.byLedger(r), f.byGrowth(r), f.byCount(r), f.byBound(r):
		f.Outcome = Holds
	default:
		f.Outcome = Unknown
		f.Reason = unknown(r, f)
		f.Next = next(r, f)
	}
	f.Links = lines(r, f)
	f.Cures = cures(f, r)
	return f
}

// byLedger: every packet sent meanwhile was followed, and those that are still
// charged make up what the charge grew by.
func (f *Finding) byLedger(r Reading) bool {
	if r.Ledger == nil || r.Ledger.Incomplete != "" || r.Ledger.Charge <= 0 {
		return false
	}
	count := 0
	for _, p := range r.Ledger.Places {
		if p.Charged && p.Bytes > 0 {
			f.Holders = append(f.Holders, Holder{Name: p.Place, Link: linkOf(p.Place, r.Facts), Kind: kindOf(p.Place), Packets: p.Count, Bytes: p.Bytes})
			count += p.Count
		}
	}
	if count == 0 {
		return false
	}
	f.By = "ledger"
	f.Reason = fmt.Sprintf("each of the %d packets sent in %s was followed (%s): the charge grew by %d bytes, and the %d packets that are not free make up all of them",
		sentInAll(r), span(r.For), r.Ledger.By, r.Ledger.Charge, count)
	return true
}

func (f *Finding) byGrowth(r Reading) bool {
	if f.Growth <= 0 || !r.Steady {
		return false
	}
	holders, truesize := account(grew(Waiting(r.Before), f.Waiting), f.Growth)
	if holders == nil {
		return false
	}
	f.Holders, f.By = holders, "growth"
	f.Reason = fmt.Sprintf("in %s the charge grew by what came to wait there: %s", span(r.For), sum(holders, truesize, f.Growth))
	return true
}

func (f *Finding) byCount(r Reading) bool {
	if !r.Steady {
		return false
	}
	holders, truesize := account(f.Waiting, r.Charge)
	if holders == nil {
		return false
	}
	f.Holders, f.By = holders, "count"
	f.Reason = fmt.Sprintf("what waits there accounts for the whole charge: %s", sum(holders, truesize, r.Charge))
	return true
}

// unknown says why no holder is named.
func unknown(r Reading, f Finding) string {
	text := fmt.Sprintf("%d bytes are charged, at the least %d in %s", r.Charge, r.Least, span(r.For))
	switch {
	case len(f.Waiting) == 0:
		return text + "; no queue, ring or NFQUEUE that can be read has a packet"
	case !r.Steady:
		return text + "; the charge does not stand still, so that what waits cannot be set against it"
	case f.Waiting[0].Packets < least:
		return fmt.Sprintf("%s; at the most %d packets wait in one place, too few to tell by their count", text, max(f.Waiting[0].Packets, 0))
	}
	return text + "; what waits accounts for them neither place by place nor all together"
}

func next(r Reading, f Finding) (out []string) {
	if r.Ledger == nil || r.Ledger.Incomplete != "" {
		out = append(out, "as root, on a kernel with perf events, each packet can be followed")
	}
	if !f.Silent && f.Growth > 0 {
		out = append(out, fmt.Sprintf("skleak blame --pid %d --isolate drops its packets on one link at a time; --for 60s follows it for longer", r.PID))
	}
	if f.Silent {
		out = append(out, fmt.Sprintf("a daemon that sends nothing shows nothing new: restart it and follow it before it is silent again (skleak watch --pid %d)", r.PID))
	}
	return append(out, "skleak probe tries each link of this host with packets of its own")
}

func sentInAll(r Reading) (n int) {
	for _, k := range r.Sent {
		n += k
	}
	return n
}

// lines says of each link that can send what is known of it.
func lines(r Reading, f Finding) (out []Line) {
	for _, l := range r.Facts.Links {
		if l.Loopback || !l.Up || len(l.Addresses) == 0 && !holds(f, l.Name) {
			continue
		}
		out = append(out, line(r, f, l))
	}
	return out
}

func holds(f Finding, link string) bool {
	return slices.ContainsFunc(f.Holders, func(h Holder) bool { return h.Link == link })
}

func line(r Reading, f Finding, l snapshot.Link) Line {
	out := Line{Link: l.Name, Kind: l.Kind, Sent: -1}
	if r.Ledger != nil {
		out.Sent = r.Sent[l.Name]
	}
	if l.Kind == "" {
		out.Kind = l.Driver
	}
	var parts []string
	for _, h := range f.Holders {
		if h.Link == l.Name {
			out.Holds = true
			parts = append(parts, fmt.Sprintf("%d packets, %d bytes: %s", h.Packets, h.Bytes, h.Name))
		}
	}
	switch {
	case out.Holds:
		out.Why = strings.Join(parts, "; ")
	case f.Outcome == Healthy:
		out.Acquitted, out.Why = true, "nothing is charged"
	case f.By == "ledger" && out.Sent > 0:
		out.Acquitted, out.Why = true, fmt.Sprintf("all of the %d packets sent through it came free", out.Sent)
	case f.By == "ledger":
		out.Why = "nothing was sent through it meanwhile"
	case f.By == "count":
		out.Acquitted, out.Why = true, "no byte of the charge is left for it"
	case f.By == "bound":
		n, _ := ring(r, l)
		out.Acquitted, out.Why = true, fmt.Sprintf("%d packets at the most can be there", n+waitingOn(f, l.Name))
	case f.By == "growth":
		out.Acquitted, out.Why = true, "no byte of the growth is left for it"
	default:
		out.Why = "not known" + waitsOn(f, l.Name)
	}
	return out
}

// waitingOn counts what waits on a link, whosever it is.
func waitingOn(f Finding, link string) (n int) {
	for _, h := range f.Waiting {
		if h.Link == link {
			n += max(h.Packets, 0)
		}
	}
	return n
}

func waitsOn(f Finding, link string) string {
	for _, h := range f.Waiting {
		switch {
		case h.Link != link:
		case h.Packets < 0:
			return "; " + h.Name + " does not answer, and how many packets wait for it no file tells"
		default:
			return fmt.Sprintf("; %d packets of somebody wait in %s", h.Packets, h.Name)
		}
	}
	return ""
}

// linkOf is the link that a place's name ends in, if it is one of the facts.
func linkOf(place string, f snapshot.Facts) string {
	word := place[strings.LastIndexByte(place, ' ')+1:]
	if slices.ContainsFunc(f.Links, func(l snapshot.Link) bool { return l.Name == word }) {
		return word
	}
	return ""
}

// kindOf is the first word of a place's name.
func kindOf(place string) string {
	word, _, _ := strings.Cut(place, " ")
	return word
}

// span is a time in words.
func span(d time.Duration) string { return fmt.Sprintf("%.3g s", d.Seconds()) }

// Status is the exit status: 0 healthy, 1 something is held.
func (f Finding) Status() int {
	if f.Outcome == Healthy {
		return 0
	}
	return 1
}
