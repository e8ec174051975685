// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"skleak/record"
)

// mailWidth is that of prose in a mail; what is quoted is left as it is.
const mailWidth = 72

// writeMail writes plain text for netdev: what Documentation/admin-guide/
// reporting-issues.rst asks for, and what a developer asks for next. A scenario is
// one mail; where nothing deviates and nothing was asked for by name there is none.
func writeMail(w io.Writer, rep record.Report, o Options) error {
	cases := mailCases(rep, o.Evidence.Chosen)
	var mails []string
	for _, c := range sameCrashes(rep) {
		m := mail{e: o.Evidence}
		m.crash(c)
		mails = append(mails, m.out.String())
	}
	for _, c := range cases {
		m := mail{e: o.Evidence, c: c}
		m.write()
		mails = append(mails, m.out.String())
	}
	if len(mails) == 0 {
		mails = append(mails, "All is as expected, so there is nothing to report. To write of what is\n"+
			"expected too, name a scenario: skleak report DIR --format mail SCENARIO\n")
	}
	if _, err := io.WriteString(w, strings.Join(mails, "\n\n-- >8 -- the next mail -- >8 --\n\n\n")); err != nil {
		return fmt.Errorf("write the mail: %w", err)
	}
	return nil
}

// mailCase is a scenario with what each kernel showed.
type mailCase struct {
	scenario string
	// seen are the runs that show what the mail is about, the first of them told in
	// full.
	seen []seenOn
	// others showed something else.
	others []seenOn
}

type seenOn struct {
	run    record.Run
	result record.Result
}

// mailCases picks the scenarios that a mail is due about.
func mailCases(rep record.Report, chosen bool) []mailCase {
	var cases []mailCase
	index := map[string]int{}
	deviates := map[string]bool{}
	for _, run := range rep.Runs {
		for _, r := range run.Results {
			deviates[r.Scenario] = deviates[r.Scenario] || deviating(r)
		}
	}
	for _, run := range rep.Runs {
		for _, r := range run.Results {
			if due := deviating(r) || chosen && !deviates[r.Scenario]; r.Verdict == "" || !due {
				continue
			}
			i, there := index[r.Scenario]
			if !there {
				i = len(cases)
				index[r.Scenario] = i
				cases = append(cases, mailCase{scenario: r.Scenario})
			}
			cases[i].seen = append(cases[i].seen, seenOn{run, r})
		}
	}
	for _, run := range rep.Runs {
		for _, r := range run.Results {
			if i, there := index[r.Scenario]; there && !cases[i].has(run.Kernel) && r.Verdict != "" {
				cases[i].others = append(cases[i].others, seenOn{run, r})
			}
		}
	}
	return cases
}

// deviating reports a verdict that a sound kernel does not show.
func deviating(r record.Result) bool { return r.Status == record.Fail || r.Status == record.XFail }

func (c mailCase) has(k record.Kernel) bool {
	return slices.ContainsFunc(c.seen, func(s seenOn) bool { return s.run.Kernel == k })
}

// mail is one mail being written.
type mail struct {
	e   Evidence
	c   mailCase
	out strings.Builder
}

func (m *mail) write() {
	s := m.c.seen[0]
	t := m.e.trace(s.run.Kernel, m.c.scenario)
	good, bad, regressed := m.c.regression()
	m.header("Subject", mailSubject(s, t, regressed))
	m.line("To: netdev@vger.kernel.org")
	if regressed {
		m.line("Cc: regressions@lists.linux.dev")
	}
	if file := sourceOf(s.result, t); file != "" {
		m.header("Cc", "(what scripts/get_maintainer.pl -f "+file+" prints)")
	}
	m.line("")
	m.prose("Hello,")
	m.prose(mailOpening(s, t))
	m.seen(s)
	m.section("Since when", append(m.sinceWhen(), regressionLines(good, bad, regressed)...))
	m.figures(s, t)
	m.ladder(s, t)
	m.stages(s)
	m.pictures(t)
	m.kernel(s, t)
	m.log(s, t)
	m.howTo(s)
	m.line("-- ")
	m.line("written by " + cmpOr(m.e.By, "skleak") + "; a person should read it before it is sent")
}

// crash is a mail about a crash of the kernel, which is worth one whatever it was
// that ran.
func (m *mail) crash(c sameCrash) {
	m.header("Subject", "[BUG] net: "+c.first.Text)
	m.line("To: netdev@vger.kernel.org")
	m.line("")
	m.prose("Hello,")
	m.prose("the kernel crashed while packets were sent through links in network namespaces: " + c.line())
	var frames []string
	for _, f := range c.first.Frames {
		frames = append(frames, "  "+f)
	}
	m.section("Call trace, innermost first", frames)
	m.prose("The whole console is what skleak vm run --keep DIR leaves in that folder; please add it.")
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

func (m *mail) line(s string) { m.out.WriteString(harmless(s, false) + "\n") }

func (m *mail) header(name, text string) { m.line(name + ": " + mailLine(text)) }

// prose is a paragraph, wrapped.
func (m *mail) prose(s string) {
	if s == "" {
		return
	}
	for line := range strings.SplitSeq(text.WrapSoft(harmless(s, false), mailWidth), "\n") {
		m.out.WriteString(mailLine(strings.TrimRight(line, " ")) + "\n")
	}
	m.out.WriteString("\n")
}

// section is a heading and lines that are quoted as they are; none without lines.
func (m *mail) section(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	m.line(title)
	m.line(strings.Repeat("-", len(title)))
	for _, l := range lines {
		m.line(mailLine(l))
	}
	m.line("")
}

// maxMailLine is less than the 998 characters of RFC 5322, section 2.1.1.
const maxMailLine = 400

func mailLine(line string) string {
	if len(line) <= maxMailLine {
		return line
	}
	return strings.ToValidUTF8(line[:maxMailLine], "") + " [cut]"
}

// seen is the finding in a sentence or two.
func (m *mail) seen(s seenOn) {
	m.line("What was seen")
	m.line("-------------")
	m.prose(sentence(s.result.Reason, s.result.Hint))
	if s.result.Law != "" {
		m.prose(s.result.Law)
	}
	if s.result.Status == record.XFail {
		m.prose("It is " + knownText(s.result) + ".")
	}
	if s.result.Flaky {
		m.prose("It was tried again, and the tries differ: " + attemptsText(s.result) + ".")
	}
}

// figures are the numbers that the verdict rests on.
func (m *mail) figures(s seenOn, t *record.Trace) {
	r := s.result
	lines := []string{
		fmt.Sprintf("  verdict               %s (expected: %s)", r.Verdict, r.Expected),
		fmt.Sprintf("  packets taken         %d", r.Packets),
		fmt.Sprintf("  charged, at most      %d bytes", r.PeakBytes),
		fmt.Sprintf("  charged after settling %d bytes, %s a packet", r.HeldBytes, number(r.BytesPerPacket)),
		fmt.Sprintf("  truesize of a packet  %d bytes (measured)", r.Truesize),
		fmt.Sprintf("  sk_sndbuf             %d bytes, not writable from %d on", r.SndBuf, r.SndBuf/2),
		fmt.Sprintf("  poll says writable    %t", r.Writable),
	}
	if r.PacketsToStall != nil {
		lines = append(lines, fmt.Sprintf("  not writable after    %d packets", *r.PacketsToStall))
	}
	if r.SelfReleaseMs != nil {
		lines = append(lines, fmt.Sprintf("  gone by itself after  %d ms", *r.SelfReleaseMs))
	}
	if r.PinnedSockets > 0 {
		lines = append(lines, fmt.Sprintf("  sockets that outlived close(2)  %d", r.PinnedSockets))
	}
	for _, errno := range sortedKeys(r.Refused) {
		lines = append(lines, fmt.Sprintf("  sends refused         %d with %s", r.Refused[errno], errno))
	}
	if r.Orphans != "" && r.Orphans != "not checked" {
		lines = append(lines, "  skbs never freed      "+r.Orphans)
	}
	for _, sock := range r.Sockets {
		for _, way := range sortedKeys(sock.Meters) {
			lines = append(lines, fmt.Sprintf("  socket %s by %s  %d", sock.Name, way, sock.Meters[way]))
		}
	}
	if t != nil {
		lines = append(lines, fmt.Sprintf("  sent                  %s through a %s socket, %s", t.Packet, t.Socket, rateText(t.Rate)))
	}
	m.section("Figures", lines)
}

func rateText(rate string) string {
	if rate == "max" {
		return "as fast as can be"
	}
	return rate
}

// ladder is what was undone, step by step, and what each step freed; then who
// freed it, where tracepoints told.
func (m *mail) ladder(s seenOn, t *record.Trace) {
	var lines []string
	for _, step := range s.result.Ladder {
		lines = append(lines, strings.TrimRight(fmt.Sprintf("  %-18s %-24s %9d -> %9d  %s", step.Rung, step.On, step.Before, step.After, step.Error), " "))
	}
	if s.result.ReleasedBy != "" {
		lines = append(lines, "", "  freed by: "+s.result.ReleasedBy)
	}
	if s.result.Holder != "" {
		lines = append(lines, "  held by:  "+s.result.Holder)
	}
	if t != nil && t.Waiter.Parked > 0 {
		lines = append(lines, fmt.Sprintf("  a waiter in poll(POLLOUT): parked %d times, woken %d times", t.Waiter.Parked, t.Waiter.Woken))
	}
	m.section("What was undone, and what was charged before and after", lines)
	lines = nil
	for _, w := range s.result.Witness {
		lines = append(lines, fmt.Sprintf("  %6d  %s %s  (%s)", w.Count, w.Event, strings.TrimSpace(w.Location+" "+w.Reason), w.Rung))
		if len(w.Chain) > 0 {
			lines = append(lines, "          "+strings.Join(w.Chain, " < "))
		}
	}
	m.section("Who freed the packets (tracepoints)", lines)
}

func (m *mail) stages(s seenOn) {
	var lines []string
	for _, st := range s.result.Stages {
		lines = append(lines, fmt.Sprintf("  %-30s %9d %9d %9d %9d %9d", st.Stage, st.In, st.Out, st.Dropped, st.Waiting, st.Lost))
	}
	if len(lines) > 0 {
		lines = append([]string{fmt.Sprintf("  %-30s %9s %9s %9s %9s %9s", "", "in", "out", "dropped", "waiting", "lost")}, lines...)
	}
	m.section("The packets along their way", lines)
}
