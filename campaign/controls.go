// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"skleak/record"
	"skleak/scenarios"
)

// shownByControls is what the controls of a run show.
type shownByControls struct {
	// results are for the report: of those that must hold the first that behaved,
	// and those before it that did not; every one that must not hold.
	results []record.Result
	// broken says what is wrong with the instrument; "" for nothing.
	broken string
}

// controls looks at what each control showed. Those that must hold do it by
// different means, so one that behaves shows the instrument whole: another that
// does not is then a finding about what should have held there, and a fail. If
// none behaves, or one holds that must not, the instrument is broken. A run
// without controls shows nothing, and so is broken too.
func (c *collector) controls(list []scenarios.Scenario) shownByControls {
	must := c.mustHold(withControl(list, scenarios.ControlMustHold))
	not := c.mustNot(withControl(list, scenarios.ControlMustNot))
	return shownByControls{
		results: slices.Concat([]record.Result{}, must.results, not.results),
		broken:  joined(must.broken, not.broken),
	}
}

func (c *collector) mustHold(list []scenarios.Scenario) shownByControls {
	var shown shownByControls
	var wrong []string
	for _, sc := range list {
		res, ok := c.results[sc.Name]
		if !ok || res.Status == record.Skip {
			continue
		}
		why := misbehaviour(sc, res)
		if why == "" {
			for i := range shown.results {
				blame(&shown.results[i], fmt.Sprintf("%s behaves, so this is not the instrument's doing", sc.Name))
			}
			shown.results = append(shown.results, res)
			return shown
		}
		wrong = append(wrong, fmt.Sprintf("control %s: %s", sc.Name, why))
		shown.results = append(shown.results, misbehaved(res, why))
	}
	shown.broken = strings.Join(wrong, "; ")
	if len(wrong) == 0 {
		shown.broken = missing(list, scenarios.ControlMustHold)
	}
	return shown
}

func (c *collector) mustNot(list []scenarios.Scenario) shownByControls {
	var shown shownByControls
	var wrong []string
	for _, sc := range list {
		res, ok := c.results[sc.Name]
		if !ok || res.Status == record.Skip {
			continue
		}
		if why := misbehaviour(sc, res); why != "" {
			wrong = append(wrong, fmt.Sprintf("control %s: %s", sc.Name, why))
			res = misbehaved(res, why)
		}
		shown.results = append(shown.results, res)
	}
	shown.broken = strings.Join(wrong, "; ")
	if len(shown.results) == 0 {
		shown.broken = missing(list, scenarios.ControlMustNot)
	}
	return shown
}

// missing says that no control of a kind shows anything.
func missing(list []scenarios.Scenario, kind scenarios.ControlKind) string {
	what := "no control that " + strings.ReplaceAll(string(kind), "-", " ")
	if len(list) == 0 {
		return what + " was run, or saved with these traces, so nothing shows that the instrument works"
	}
	return what + " could be built here, so nothing shows that the instrument works"
}

// misbehaved is the result of a control that did not show what it must.
func misbehaved(res record.Result, why string) record.Result {
	if res.Status != record.Error {
		res.Status, res.Reason = record.Broken, joined(why, res.Reason)
	}
	return res
}

// blame makes a misbehaving control a finding.
func blame(res *record.Result, remark string) {
	if res.Status == record.Broken {
		res.Status = record.Fail
	}
	res.Reason = joined(res.Reason, remark)
}

// apply marks what was judged with a broken instrument.
func (s shownByControls) apply(run *record.Run) {
	if s.broken == "" {
		return
	}
	for i, res := range run.Results {
		if res.Status == record.Pass || res.Status == record.XFail || res.Status == record.Fail {
			run.Results[i].Status = record.Broken
			run.Results[i].Reason = s.broken
		}
	}
}

// misbehaviour says what a control shows that it must not, or does not show; ""
// for nothing. Beside the verdict it is the holder, the rung, the truesize and
// the amount: together they prove the whole instrument.
func misbehaviour(sc scenarios.Scenario, res record.Result) string {
	if res.Status == record.Error || res.Verdict == "" {
		return "no verdict: " + res.Reason
	}
	var wrong []string
	if !slices.Contains(sc.Expect, res.Verdict) {
		wrong = append(wrong, fmt.Sprintf("%s, expected %s: %s", res.Verdict, record.JoinVerdicts(sc.Expect), res.Reason))
	}
	if res.Truesize <= 0 {
		wrong = append(wrong, "what one packet is charged with was not measured")
	}
	if sc.Control == scenarios.ControlMustHold {
		return joined(append(wrong, notHeld(sc, res)...)...)
	}
	return joined(append(wrong, notClean(sc, res)...)...)
}

// notHeld says what of a control that must hold is not as it must be.
func notHeld(sc scenarios.Scenario, res record.Result) []string {
	var wrong []string
	if want := sc.Shows.Holder; res.Holder != want {
		wrong = append(wrong, fmt.Sprintf("holder %q, expected %q", res.Holder, want))
	}
	if want := sc.Shows.ReleasedBy; res.ReleasedBy != want {
		wrong = append(wrong, fmt.Sprintf("released by %q, expected %q", res.ReleasedBy, want))
	}
	if res.PinnedSockets > 0 {
		wrong = append(wrong, fmt.Sprintf("%d sockets pinned after closing", res.PinnedSockets))
	}
	if res.Truesize <= 0 {
		return wrong
	}
	return append(wrong, wrongAmount(sc, res)...)
}

// wrongAmount compares what is held with the least that silences the sender. A
// datagram or raw socket is writable while sk_wmem_alloc, which is one more than
// the charge, is below half of sk_sndbuf (sock_writeable, include/net/sock.h),
// and a sender that polls first stops there.
func wrongAmount(sc scenarios.Scenario, res record.Result) []string {
	var wrong []string
	enough := (res.SndBuf/2 - 1 + res.Truesize - 1) / res.Truesize
	if res.HeldBytes != enough*res.Truesize {
		wrong = append(wrong, fmt.Sprintf("%d bytes held, expected %d packets of %d, %d bytes, of a send buffer of %d",
			res.HeldBytes, enough, res.Truesize, enough*res.Truesize, res.SndBuf))
	}
	switch most := enough + int64(sc.Shows.Passes); {
	case res.PacketsToStall == nil:
		wrong = append(wrong, "poll never said not writable")
	case int64(*res.PacketsToStall) < enough || int64(*res.PacketsToStall) > most:
		wrong = append(wrong, fmt.Sprintf("not writable after %d packets, expected %d to %d", *res.PacketsToStall, enough, most))
	}
	return wrong
}

// notClean says what of a control that must not hold is not as it must be.
func notClean(sc scenarios.Scenario, res record.Result) []string {
	var wrong []string
	if want := sc.Traffic.Count; res.Packets == 0 || want > 0 && res.Packets != want {
		wrong = append(wrong, fmt.Sprintf("%d packets sent, expected %d", res.Packets, want))
	}
	if res.HeldBytes != 0 || res.PinnedSockets != 0 {
		wrong = append(wrong, fmt.Sprintf("%d bytes held and %d sockets pinned, expected none", res.HeldBytes, res.PinnedSockets))
	}
	return wrong
}

// withoutControls leaves out of list what runs as a control anyway. One that
// only is called like a control would be taken for it.
func withoutControls(list, controls []scenarios.Scenario) ([]scenarios.Scenario, error) {
	var rest []scenarios.Scenario
	for _, sc := range list {
		i := slices.IndexFunc(controls, func(ctl scenarios.Scenario) bool { return ctl.Name == sc.Name })
		if i < 0 {
			rest = append(rest, sc)
			continue
		}
		as := sc
		as.Control = controls[i].Control
		if !reflect.DeepEqual(as, controls[i]) {
			return nil, fmt.Errorf("%s is a control of every run and cannot be changed for one; copy it into a file under another name", sc.Name)
		}
	}
	return rest, nil
}

func withControl(list []scenarios.Scenario, kind scenarios.ControlKind) []scenarios.Scenario {
	return slices.DeleteFunc(slices.Clone(list), func(sc scenarios.Scenario) bool { return sc.Control != kind })
}

func names(list []scenarios.Scenario) map[string]bool {
	all := map[string]bool{}
	for _, sc := range list {
		all[sc.Name] = true
	}
	return all
}

// joined joins the reasons that are not empty.
func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(parts), func(s string) bool { return s == "" }), "; ")
}
