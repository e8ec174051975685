// SPDX-License-Identifier: GPL-2.0-only

package campaign

import (
	"strings"
	"testing"

	"skleak/record"
	"skleak/scenarios"
)

// bent is an event whose trace was changed.
func bent(e record.Event, bend func(*record.Trace)) record.Event {
	bend(e.Trace)
	return e
}

// plugEvent is what a sound plug shows.
func plugEvent() record.Event {
	return bent(stalledEvent(), func(t *record.Trace) {
		t.Rungs = []record.RungTrace{{Rung: record.RungQdisc, On: "plug on v0", Holder: "qdisc plug on v0", Before: 106496}}
	})
}

// plugToo are the controls with another that must hold before the others.
func plugToo() []scenarios.Scenario {
	plug := scenario("control/plug", scenarios.ControlMustHold, record.Stalled)
	plug.Shows = &scenarios.Shows{Holder: "qdisc plug on v0", ReleasedBy: "qdisc deleted"}
	return append([]scenarios.Scenario{plug}, controls()...)
}

func TestControls(t *testing.T) {
	skip := record.Event{Kind: record.EventSkip, Text: "no plug"}
	trouble := record.Event{Kind: record.EventTrouble, Text: "pipe burst"}
	for _, c := range []struct {
		name            string
		plug, tbf, veth record.Event
		// broken is in the reason of every result; "" where the instrument is whole.
		broken string
		used   map[string]record.Status
	}{
		{"all sound", plugEvent(), stalledEvent(), cleanEvent(), "",
			map[string]record.Status{"control/plug": record.Pass, "control/veth": record.Pass}},
		{"first cannot be built", skip, stalledEvent(), cleanEvent(), "",
			map[string]record.Status{"control/tbf": record.Pass, "control/veth": record.Pass}},
		{"first does not hold, and the second does", cleanEvent(), stalledEvent(), cleanEvent(), "",
			map[string]record.Status{"control/plug": record.Fail, "control/tbf": record.Pass, "control/veth": record.Pass}},
		{"first is stopped by trouble", trouble, stalledEvent(), cleanEvent(), "",
			map[string]record.Status{"control/plug": record.Error, "control/tbf": record.Pass, "control/veth": record.Pass}},
		{"none holds", cleanEvent(), cleanEvent(), cleanEvent(), "control control/plug: clean, expected stalled",
			map[string]record.Status{"control/plug": record.Broken, "control/tbf": record.Broken, "control/veth": record.Pass}},
		{"none that must hold", skip, skip, cleanEvent(), "no control that must hold could be built here",
			map[string]record.Status{"control/veth": record.Pass}},
		{"none that must not", plugEvent(), stalledEvent(), skip, "no control that must not hold could be built here",
			map[string]record.Status{"control/plug": record.Pass}},
		{"clean one holds", plugEvent(), stalledEvent(), stalledEvent(), "control control/veth: stalled, expected clean",
			map[string]record.Status{"control/plug": record.Pass, "control/veth": record.Broken}},
		{"trouble", plugEvent(), stalledEvent(), trouble, "control control/veth: no verdict: pipe burst",
			map[string]record.Status{"control/plug": record.Pass, "control/veth": record.Error}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &fake{rounds: []map[string]record.Event{{
				"control/plug": c.plug, "control/tbf": c.tbf, "control/veth": c.veth, "f/x": cleanEvent(), "f/y": stalledEvent(),
			}}}
			list := []scenarios.Scenario{scenario("f/x", "", record.Clean), scenario("f/y", "", record.Clean)}
			run, err := Run(t.Context(), r, list, plugToo(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			x, y := run.Results[0], run.Results[1]
			if c.broken == "" && (x.Status != record.Pass || y.Status != record.Fail) {
				t.Errorf("statuses %s, %s (%s) beside a whole instrument", x.Status, y.Status, x.Reason)
			}
			for _, res := range run.Results {
				if c.broken != "" && (res.Status != record.Broken || !strings.Contains(res.Reason, c.broken)) {
					t.Errorf("%s: %s, %s; want %q", res.Scenario, res.Status, res.Reason, c.broken)
				}
			}
			got := statuses(run.Controls)
			if len(got) != len(c.used) {
				t.Errorf("controls %v, want %v", got, c.used)
			}
			for name, want := range c.used {
				if got[name] != want {
					t.Errorf("%s: %q, want %s", name, got[name], want)
				}
			}
		})
	}
}

// A control proves the whole instrument: each figure that is off is told.
func TestControlsTellWhatIsOff(t *testing.T) {
	for _, c := range []struct {
		name string
		ctl  string
		bend func(*record.Trace)
		want string
	}{
		{"holder", "control/tbf", func(t *record.Trace) { t.Rungs[0].Holder = "qdisc htb on v0" },
			`holder "qdisc htb on v0", expected "qdisc tbf on v0"`},
		{"rung", "control/tbf", func(t *record.Trace) { t.Rungs[0].Rung = record.RungDown },
			`released by "link down", expected "qdisc deleted"`},
		{"truesize not measured", "control/tbf", func(t *record.Trace) { t.Truesize = 0 }, "what one packet is charged with was not measured"},
		{"truesize wrong", "control/tbf", func(t *record.Trace) { t.Truesize = 800 },
			"106496 bytes held, expected 134 packets of 800, 107200 bytes, of a send buffer of 212992"},
		{"amount", "control/tbf", func(t *record.Trace) { t.Settle.Bytes, t.Settle.PerSocket = 105664, []uint32{105664} },
			"105664 bytes held, expected 128 packets of 832, 106496 bytes"},
		{"too early", "control/tbf", func(t *record.Trace) { t.Sockets[0].PacketsToStall = 127 }, "not writable after 127 packets, expected 128 to 128"},
		{"too late", "control/tbf", func(t *record.Trace) { t.Sockets[0].PacketsToStall = 129 }, "not writable after 129 packets, expected 128 to 128"},
		{"never", "control/tbf", func(t *record.Trace) { t.Sockets[0].PacketsToStall = -1 }, "poll never said not writable"},
		{"leaked", "control/tbf", func(t *record.Trace) {
			t.Rungs[0].After = 106496
			t.Rungs = append(t.Rungs, record.RungTrace{Rung: record.RungDelete, On: "v0", Holder: "driver of v0", Before: 106496, After: 106496})
		}, "leaked, expected stalled"},
		{"pinned", "control/veth", func(t *record.Trace) { t.SocketsAfter = 2 }, "0 bytes held and 1 sockets pinned, expected none"},
		{"too few sent", "control/veth", func(t *record.Trace) { t.Sent, t.Sockets[0].Sent = 2999, 2999 }, "2999 packets sent, expected 3000"},
		{"no truesize", "control/veth", func(t *record.Trace) { t.Truesize = 0 }, "no verdict: what one packet is charged with could not be measured"},
	} {
		t.Run(c.name, func(t *testing.T) {
			events := sound(map[string]record.Event{"f/x": cleanEvent()})
			events[c.ctl] = bent(events[c.ctl], c.bend)
			r := &fake{rounds: []map[string]record.Event{events}}
			run, err := Run(t.Context(), r, []scenarios.Scenario{scenario("f/x", "", record.Clean)}, controls(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if res := run.Results[0]; res.Status != record.Broken || !strings.Contains(res.Reason, "control "+c.ctl+": ") || !strings.Contains(res.Reason, c.want) {
				t.Errorf("%s: %s\nwant broken, and %q", res.Status, res.Reason, c.want)
			}
		})
	}
}

// What passes before the first is held is allowed, and no more.
func TestControlThatLetsSomeThrough(t *testing.T) {
	for passes, want := range map[int]record.Status{2: record.Broken, 3: record.Pass} {
		events := sound(map[string]record.Event{"f/x": cleanEvent()})
		events["control/tbf"] = bent(stalledEvent(), func(t *record.Trace) { t.Sockets[0].PacketsToStall = 131 })
		list := controls()
		list[0].Shows.Passes = passes
		run, err := Run(t.Context(), &fake{rounds: []map[string]record.Event{events}}, []scenarios.Scenario{scenario("f/x", "", record.Clean)}, list, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if run.Results[0].Status != want {
			t.Errorf("%d may pass: %s (%s), want %s", passes, run.Results[0].Status, run.Results[0].Reason, want)
		}
	}
}

// A control asked for by name runs once, and as a control; one that only is
// called like it is refused.
func TestControlAskedForByName(t *testing.T) {
	asked := controls()[0]
	asked.Control = scenarios.NotControl
	r := &fake{rounds: []map[string]record.Event{sound(map[string]record.Event{})}}
	finished := 0
	run, err := Run(t.Context(), r, []scenarios.Scenario{asked}, controls(), Options{Finished: func(record.Result) { finished++ }})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.calls[0]) != 2 || len(run.Results) != 1 || run.Results[0].Status != record.Pass || len(run.Controls) != 2 || finished != 1 {
		t.Errorf("ran %v; results %+v; %d finished", r.calls, run.Results, finished)
	}
	asked.Traffic.Count = 5
	if _, err := Run(t.Context(), r, []scenarios.Scenario{asked}, controls(), Options{}); err == nil || !strings.Contains(err.Error(), "control/tbf is a control") {
		t.Errorf("error %v", err)
	}
}
