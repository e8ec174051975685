// SPDX-License-Identifier: GPL-2.0-only

package reports

import (
	"fmt"
	"strings"

	"skleak/record"
)

// results tells those chosen in full.
func (p *page) results() {
	p.out.WriteString(`<h2 id="results">Results</h2>`)
	all := 0
	for _, run := range p.rep.Runs {
		for _, r := range run.Results {
			if r.Status != record.Skip {
				all++
			}
		}
	}
	if all > len(p.order) {
		p.printf(`<p class="dim">The %d that matter most of %d; name scenarios to see others: skleak report DIR SCENARIO --format html</p>`, len(p.order), all)
	}
	runsOf := map[string][]place{}
	for i, run := range p.rep.Runs {
		for j, r := range run.Results {
			runsOf[r.Scenario] = append(runsOf[r.Scenario], place{i, j})
		}
	}
	for _, at := range p.order {
		p.section(at, runsOf[p.result(at).Scenario])
	}
}

func (p *page) section(at place, same []place) {
	r, run := p.result(at), p.rep.Runs[at.run]
	t := p.e.trace(run.Kernel, r.Scenario)
	p.printf(`<section class="r" id="%s"><h3>%s <span class="dim">on %s</span></h3>`, at.id(), esc(r.Scenario), esc(run.Kernel.Name()))
	p.printf(`<p><span class="%s">%s</span>: %s. %s</p>`, statusClass(r.Status), esc(cmpOr(string(r.Verdict), "no verdict")), esc(statusText(r)), esc(sentence(r.Reason, r.Hint)))
	if r.Law != "" {
		p.printf("<p>%s</p>", esc(r.Law))
	}
	if r.Flaky {
		p.printf("<p>Flaky: %s</p>", esc(attemptsText(r)))
	}
	p.history(at, same)
	p.facts(r)
	p.out.WriteString(chargeChart(t, "Charge of the sending socket, "+r.Scenario))
	if r.Verdict.NeedsHolder() || len(r.Ladder) > 1 {
		p.ladder(r)
	}
	p.stages(r)
	p.witness(r)
	p.logs(r, t)
	p.out.WriteString("</section>\n")
}

func statusText(r record.Result) string {
	switch r.Status {
	case record.Pass:
		return "as expected"
	case record.XFail:
		return knownText(r)
	case record.Fail:
		return "expected " + r.Expected
	}
	return string(r.Status)
}

// history leads to the same scenario in the other runs, and says how often it was
// flaky.
func (p *page) history(at place, same []place) {
	if len(same) < 2 {
		return
	}
	p.out.WriteString(`<p class="dim">Elsewhere:`)
	flaky, shown := 0, 0
	for _, other := range same {
		r := p.result(other)
		if r.Flaky {
			flaky++
		}
		if other == at || shown >= maxElsewhere {
			continue
		}
		shown++
		words := fmt.Sprintf("%s %s", p.rep.Runs[other.run].Kernel.Name(), cmpOr(string(r.Verdict), string(r.Status)))
		if p.details[other] {
			p.printf(` <a href="#%s">%s</a>`, other.id(), esc(words))
		} else {
			p.printf(" %s", esc(words))
		}
		p.out.WriteString(";")
	}
	if left := len(same) - 1 - shown; left > 0 {
		p.printf(" and %d more;", left)
	}
	p.printf(" flaky in %d of %d runs.</p>", flaky, len(same))
}

// maxElsewhere bounds the links from one result to others.
const maxElsewhere = 12

func (p *page) facts(r record.Result) {
	p.out.WriteString(`<ul class="facts">`)
	fact := func(name, value string) {
		if value != "" {
			p.printf("<li><span>%s</span>%s</li>", esc(name), esc(value))
		}
	}
	fact("packets taken", fmt.Sprint(r.Packets))
	fact("held after settling", bytesText(r.HeldBytes))
	fact("charged at most", bytesText(r.PeakBytes))
	fact("truesize of one", bytesText(r.Truesize))
	fact("send buffer", bytesText(r.SndBuf))
	if r.PacketsToStall != nil {
		fact("not writable after", plural(*r.PacketsToStall, "packet"))
	}
	if r.SelfReleaseMs != nil {
		fact("gone by itself after", fmt.Sprintf("%d ms", *r.SelfReleaseMs))
	}
	for _, errno := range sortedKeys(r.Refused) {
		fact("refused with "+errno, fmt.Sprint(r.Refused[errno]))
	}
	fact("held by", r.Holder)
	fact("released by", r.ReleasedBy)
	if r.PinnedSockets > 0 {
		fact("sockets left", fmt.Sprint(r.PinnedSockets))
	}
	if r.Orphans != "not checked" {
		fact("skbs never freed", r.Orphans)
	}
	p.out.WriteString("</ul>")
}

func (p *page) ladder(r record.Result) {
	p.out.WriteString(staircase(r.Ladder))
	if len(r.Ladder) <= maxStairs && !anyError(r.Ladder) {
		return
	}
	p.out.WriteString(`<details><summary>The ladder</summary><div class="scroll" tabindex="0"><table><tbody>`)
	for _, s := range r.Ladder {
		p.printf(`<tr><th>%s</th><td>%s</td><td class="n">%d</td><td class="n">%d</td><td>%s</td></tr>`, esc(s.Rung), esc(s.On), s.Before, s.After, esc(s.Error))
	}
	p.out.WriteString("</tbody></table></div></details>")
}

func anyError(steps []record.LadderStep) bool {
	for _, s := range steps {
		if s.Error != "" {
			return true
		}
	}
	return false
}

// stages show where packets vanished.
func (p *page) stages(r record.Result) {
	if len(r.Stages) == 0 {
		return
	}
	p.out.WriteString(`<div class="scroll" tabindex="0"><table><thead><tr><th>the packets' way</th><th class="n">in</th><th class="n">out</th><th class="n">dropped</th><th class="n">waiting</th><th class="n">vanished</th></tr></thead><tbody>`)
	for _, s := range r.Stages {
		class := "n"
		if s.Lost > 0 {
			class = "n lost"
		}
		p.printf(`<tr><th>%s</th><td class="n">%d</td><td class="n">%d</td><td class="n">%d</td><td class="n">%d</td><td class="%s">%d</td></tr>`,
			esc(strings.TrimSpace(s.Stage+inside(s.Netns))), s.In, s.Out, s.Dropped, s.Waiting, class, s.Lost)
	}
	p.out.WriteString("</tbody></table></div>")
}

func (p *page) witness(r record.Result) {
	if len(r.Witness) == 0 {
		return
	}
	p.out.WriteString(`<details open><summary>Who freed them (tracepoints)</summary><div class="scroll" tabindex="0"><table><tbody>`)
	for _, w := range r.Witness {
		p.printf(`<tr><th>%s</th><td class="n">%d</td><td>%s</td><td>%s</td><td>%s</td></tr>`,
			esc(w.Rung), w.Count, esc(w.Location), esc(w.Reason), esc(strings.Join(w.Chain, " < ")))
	}
	p.out.WriteString("</tbody></table></div></details>")
}

// maxPageLog bounds the lines of one log on the page.
const maxPageLog = 120

// logs are the kernel's warnings and log, the socket's line and the scenario, folded.
func (p *page) logs(r record.Result, t *record.Trace) {
	p.fold("Kernel warnings meanwhile", tail(r.Warnings, maxPageLog))
	if t == nil {
		return
	}
	if r.Status != record.Pass || r.Verdict.NeedsHolder() {
		if held := state(t, "held"); held != nil {
			p.fold("/proc/net/raw while it was held", held.ProcNetRaw)
			var lines []string
			for _, l := range held.Links {
				lines = append(lines, linkLines(l)...)
			}
			for _, q := range held.Qdiscs {
				lines = append(lines, qdiscLines(q)...)
			}
			p.fold("Links and queueing disciplines then", lines)
		}
		var log []string
		for _, st := range t.State {
			log = append(log, st.KernelLog...)
		}
		p.fold("Kernel log meanwhile", tail(log, maxPageLog))
	}
	p.fold("The scenario", lines(p.e.scenario(r.Scenario)))
}

func (p *page) fold(title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	p.printf("<details><summary>%s</summary><pre>", esc(title))
	for _, l := range lines {
		p.out.WriteString(esc(mailLine(l)) + "\n")
	}
	p.out.WriteString("</pre></details>")
}
