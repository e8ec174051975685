// SPDX-License-Identifier: GPL-2.0-only

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"skleak/blame"
	"skleak/netns"
	"skleak/procsock"
)

// isolate drops the daemon's packets on one link after the other and adds to the
// finding what that showed. Nothing is left, however this process ends.
func (d *debtor) isolate(ctx context.Context, t terminal, finding *blame.Finding, p blame.Plan) (err error) {
	s := d.charged()[0]
	ns, err := procsock.OpenNetns(d.pid, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ns.Close()) }()
	path := fmt.Sprintf("/proc/self/fd/%d", ns.Fd())
	var trials []blame.Trial
	for _, link := range append([]string{""}, p.Links...) {
		if t.live {
			fmt.Fprintf(t.err, "%s: %s\n", map[bool]string{true: "nothing dropped", false: "dropping on " + link}[link == ""], p.Window)
		}
		trial := blame.Trial{Link: link, Seconds: p.Window.Seconds()}
		err := netns.In(path, func() error { return d.window(ctx, s, p.Window, &trial) })
		if err != nil {
			return err
		}
		trials = append(trials, trial)
	}
	finding.Isolated(trials[0], trials[1:])
	return nil
}

// window is one trial, in the namespace.
func (d *debtor) window(ctx context.Context, s procsock.Socket, length time.Duration, trial *blame.Trial) (err error) {
	var rule *netns.DropRule
	if trial.Link != "" {
		if rule, err = netns.OpenDropRule(trial.Link, s.UID, uint8(s.Protocol)); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, rule.Close()) }()
	}
	before, err := d.charge()
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(length):
	}
	after, err := d.charge()
	if err != nil {
		return err
	}
	trial.Growth = after - before
	if rule != nil {
		trial.Dropped, err = rule.Dropped()
	}
	return err
}

// plan is what --isolate would do.
func (f *blameFlags) plan(d *debtor) (p blame.Plan, err error) {
	s := d.charged()[0]
	ns, err := procsock.OpenNetns(d.pid, s)
	if err != nil {
		return p, err
	}
	defer func() { err = errors.Join(err, ns.Close()) }()
	facts, err := readFacts(fmt.Sprintf("/proc/self/fd/%d", ns.Fd()))
	if err != nil {
		return p, err
	}
	return blame.MakePlan(facts, blame.Socket{Kind: s.Kind, Protocol: s.Protocol, Charge: s.Charge, SndBuf: s.SndBuf}, s.UID, f.timers)
}

func (f *blameFlags) printPlan(t terminal, p blame.Plan) error {
	if f.json {
		return json.NewEncoder(t.out).Encode(p)
	}
	_, err := fmt.Fprint(t.out, p)
	return err
}
